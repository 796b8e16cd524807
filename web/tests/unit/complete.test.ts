import { expect, test } from 'vitest';
import { asks, take } from '../../src/lib/chat/complete';

test('only a single line that begins like a command is completed', () => {
	expect(asks('/')).toBe(true);
	expect(asks('/workflow ru')).toBe(true);
	expect(asks('good morning')).toBe(false);
	expect(asks('/workflow\nrun')).toBe(false);
	expect(asks(`/${'x'.repeat(500)}`)).toBe(false);
});

test('a proposal that is a whole line replaces the line', () => {
	expect(take('/workflow run docu', '/workflow run document_processing')).toBe('/workflow run document_processing ');
});

test('a proposal that is a word replaces the last word', () => {
	expect(take('/workflow run document_processing lang', 'languages=')).toBe('/workflow run document_processing languages=');
});

test('a proposal that waits for a value gets no space behind it', () => {
	expect(take('/workflow run asks ci', '/workflow run asks city=')).toBe('/workflow run asks city=');
});

test('a dollar sign in a proposal is a dollar sign', () => {
	expect(take('/workflow run x', 'a$&b')).toBe('/workflow run a$&b ');
});
