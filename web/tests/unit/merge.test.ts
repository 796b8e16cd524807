import { expect, test } from 'vitest';
import { gap, highest, merge, typedBy } from '../../src/lib/chat/merge';
import type { ChatMessage } from '../../src/lib/wire/types';

const message = (id: string, seq: number, more: Partial<ChatMessage> = {}): ChatMessage => ({
	id,
	seq,
	posted: seq,
	channel: 'general',
	author: { name: 'ana', kind: 'person' },
	at: '2026-11-23T10:00:00Z',
	text: id,
	files: [],
	...more,
});
const ids = (messages: ChatMessage[]) => messages.map(({ id }) => id);

test('messages stand in the order in which they were posted', () => {
	expect(ids(merge([message('a', 1)], [message('c', 3), message('b', 2)]))).toEqual(['a', 'b', 'c']);
});

test('an edit takes the place of the message, not a new one', () => {
	const edited = message('a', 3, { posted: 1, text: 'new', edited_at: '2026-11-23T10:00:05Z' });
	const list = merge([message('a', 1), message('b', 2)], [edited]);
	expect(list.map(({ id, text }) => [id, text])).toEqual([['a', 'new'], ['b', 'b']]);
});

test('an older version that comes late changes nothing', () => {
	const list = [message('a', 5, { posted: 1, text: 'new' })];
	expect(merge(list, [message('a', 3, { posted: 1, text: 'old' })])).toBe(list);
});

test('what came already makes no new list', () => {
	const list = [message('a', 1)];
	expect(merge(list, [message('a', 1)])).toBe(list);
});

test('an edit of a message that is further up than what is loaded waits for its page', () => {
	const edited = message('old', 9, { posted: 1, edited_at: '2026-11-23T10:00:05Z' });
	expect(ids(merge([message('a', 5)], [edited], true))).toEqual(['a']);
});

test('the highest number is never less than what was seen before', () => {
	expect(highest([message('a', 3), message('b', 2)])).toBe(3);
	expect(highest([message('a', 3)], 7)).toBe(7);
});

test('one author within a few minutes is one group', () => {
	expect(gap(message('a', 1), message('b', 2))).toBe('none');
	expect(gap(message('a', 1), message('b', 2, { at: '2026-11-23T10:06:00Z' }))).toBe('author');
	expect(gap(message('a', 1), message('b', 2, { author: { name: 'workflow', kind: 'workflow' } }))).toBe('author');
	expect(gap(message('a', 1), message('b', 2, { at: '2026-11-25T10:00:00Z' }))).toBe('day');
});

test('what only one person sees begins a group of its own', () => {
	expect(gap(message('a', 1), message('b', 2, { visible_to: 'ana' }))).toBe('author');
});

test('the history holds commands of the person, newest first, each once', () => {
	const list = [
		message('1', 1, { text: '/workflow list' }),
		message('2', 2, { text: 'good morning' }),
		message('3', 3, { text: '/workflow help' }),
		message('4', 4, { text: '/workflow run x', author: { name: 'leo', kind: 'person' } }),
		message('5', 5, { text: '/workflow list' }),
	];
	expect(typedBy(list, 'ana')).toEqual(['/workflow list', '/workflow help']);
});
