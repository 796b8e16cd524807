/**
 * Messages of a channel as one list. Posts and edits take a number (`seq`) each; the highest number of a message is how it
 * looks now, its first number (`posted`) is where it stands. Frames may come twice, late, or before the page they belong to.
 */
import type { ChatMessage } from '$lib/wire/types';

const order = (one: ChatMessage, other: ChatMessage) => one.posted - other.posted;

/**
 * The list with these messages in it. `more`: there are older messages that are not loaded; an edit of one of those must not
 * open a gap in the list, so it is left out (it comes with its page).
 */
export function merge(list: ChatMessage[], incoming: ChatMessage[], more = false): ChatMessage[] {
	const known = new Map(list.map((message) => [message.id, message]));
	const oldest = list[0];
	let changed = false;
	for (const message of incoming) {
		const before = known.get(message.id);
		if (before ? before.seq >= message.seq : more && oldest && message.edited_at && order(message, oldest) < 0) continue;
		known.set(message.id, message);
		changed = true;
	}
	return changed ? [...known.values()].sort(order) : list;
}

/** The highest number among them, and not less than `least`. */
export const highest = (messages: ChatMessage[], least = 0) => messages.reduce((most, { seq }) => Math.max(most, seq), least);

/** What stands between two messages: a new day, a new author, or nothing. */
export function gap(before: ChatMessage | undefined, message: ChatMessage): 'day' | 'author' | 'none' {
	const day = (at: string) => new Date(at).toDateString();
	if (!before || day(before.at) !== day(message.at)) return 'day';
	const close = Date.parse(message.at) - Date.parse(before.at) < 5 * 60_000;
	const alike = before.author.name === message.author.name && before.author.kind === message.author.kind;
	return close && alike && (before.visible_to ?? null) === (message.visible_to ?? null) ? 'none' : 'author';
}

const COMMAND = /^\s*(\/workflow|\/wf|@\w+)\b/i;
/** What the person typed last in this channel, newest first; commands before small talk is not our judgement to make. */
export const typedBy = (messages: ChatMessage[], name: string) =>
	messages
		.filter(({ author, text }) => author.kind === 'person' && author.name === name && COMMAND.test(text))
		.map(({ text }) => text)
		.reverse()
		.filter((text, index, all) => all.indexOf(text) === index);
