/**
 * The little markup that people and workflows write in messages: fenced blocks, `code`, **bold**, addresses and ids of
 * executions. An allow-list that ends in plain values; nothing is ever parsed as HTML.
 */
export type Piece =
	| { kind: 'text' | 'code' | 'bold' | 'mark'; text: string }
	| { kind: 'block'; text: string }
	| { kind: 'link'; text: string; href: string };

const INLINE = /`([^`\n]+)`|\*\*([^*\n]+)\*\*|\ue000([^\ue001]*)\ue001|(https?:\/\/[^\s<>"`]+[^\s<>"`.,;:!?)\]])|\b(exec_[0-9a-z]{6,40})\b/g;

/** The pieces of a text. With `mark`, what is bold is a found word. */
export function pieces(text: string, found = false): Piece[] {
	const result: Piece[] = [];
	const parts = text.split(/^```[^\n]*\n([\s\S]*?)\n?^```[ \t]*$/m);
	parts.forEach((part, index) => {
		if (index % 2 === 1) result.push({ kind: 'block', text: part });
		else result.push(...inline(index > 0 ? part.replace(/^\n/, '') : part, found));
	});
	return result;
}

function inline(text: string, found: boolean): Piece[] {
	const result: Piece[] = [];
	let last = 0;
	for (const match of text.matchAll(INLINE)) {
		if (match.index > last) result.push({ kind: 'text', text: text.slice(last, match.index) });
		const [whole, code, bold, marked, address, execution] = match;
		if (code !== undefined) result.push({ kind: 'code', text: code });
		else if (bold !== undefined) result.push({ kind: found ? 'mark' : 'bold', text: bold });
		else if (marked !== undefined) result.push({ kind: 'mark', text: marked });
		else if (address !== undefined) result.push({ kind: 'link', text: address, href: address });
		else result.push({ kind: 'link', text: execution ?? whole, href: `/runs/${execution}` });
		last = match.index + whole.length;
	}
	if (last < text.length) result.push({ kind: 'text', text: text.slice(last) });
	return result;
}
