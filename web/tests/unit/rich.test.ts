import { expect, test } from 'vitest';
import { pieces } from '../../src/lib/parts/rich';

test('markup of pages stays text', () => {
	const text = '<img src=x onerror="hit()"><script>hit()</script>';
	expect(pieces(text)).toEqual([{ kind: 'text', text }]);
});

test('code, weight and blocks are told apart', () => {
	expect(pieces('run `x` **now**\n```\na\nb\n```')).toEqual([
		{ kind: 'text', text: 'run ' },
		{ kind: 'code', text: 'x' },
		{ kind: 'text', text: ' ' },
		{ kind: 'bold', text: 'now' },
		{ kind: 'text', text: '\n' },
		{ kind: 'block', text: 'a\nb' },
	]);
});

test('an execution leads to its page', () => {
	expect(pieces('see exec_01m8481mw3qdcagtcyanrr4kt2.')).toContainEqual({
		kind: 'link',
		text: 'exec_01m8481mw3qdcagtcyanrr4kt2',
		href: '/runs/exec_01m8481mw3qdcagtcyanrr4kt2',
	});
});

test('an address ends before the full stop of its sentence', () => {
	expect(pieces('see https://example.org/a?b=1.')).toContainEqual({ kind: 'link', text: 'https://example.org/a?b=1', href: 'https://example.org/a?b=1' });
});

test('only web addresses are links', () => {
	for (const text of ['javascript:hit()', 'data:text/html,x', 'file:///etc/passwd', 'JAVASCRIPT://x']) {
		expect(pieces(text)).toEqual([{ kind: 'text', text }]);
	}
});
