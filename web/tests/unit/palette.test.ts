import { expect, test } from 'vitest';
import { find } from '../../src/lib/frame/palette';

const ENTRIES = [{ label: 'Runs' }, { label: 'Document Processing', words: 'document_processing run' }, { label: 'Läufe' }, { label: 'Theme: Dark', words: 'theme dark' }];
const labels = (typed: string) => find(ENTRIES, typed).map(({ label }) => label);

test('nothing typed finds everything, in the order given', () => {
	expect(find(ENTRIES, ' ')).toBe(ENTRIES);
});

test('every word must fit', () => {
	expect(labels('doc proc')).toEqual(['Document Processing']);
	expect(labels('doc dark')).toEqual([]);
});

test('what begins with the word comes before what holds it elsewhere', () => {
	expect(labels('run')).toEqual(['Runs', 'Document Processing']);
});

test('dots over letters and capitals do not matter', () => {
	expect(labels('LAUFE')).toEqual(['Läufe']);
});

test('an underscore is a space', () => {
	expect(labels('document_pro')).toEqual(['Document Processing']);
});
