/** Completion while a command is typed. The service knows the words; here is only when to ask and what to put where. */
export interface Candidate {
	text: string;
	hint?: string | null;
}

/** Whether there is something to propose: a single line that begins like a command. */
export const asks = (text: string) => /^\/[^\n]*$/.test(text) && text.length <= 400;

/**
 * The line with the proposal taken. A proposal is the whole line when it goes on from what is typed or is a command itself;
 * otherwise it replaces the last word.
 */
export function take(typed: string, proposal: string): string {
	const whole = proposal.startsWith('/') || proposal.toLowerCase().startsWith(typed.trimStart().toLowerCase());
	const line = whole ? proposal : typed.replace(/\S*$/, () => proposal);
	return /[\s=]$/.test(line) ? line : `${line} `;
}
