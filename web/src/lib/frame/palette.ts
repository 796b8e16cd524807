/** What the palette offers and how it is found: every typed word must begin a word of the entry, or stand in it. */
export interface Entry {
	id: string;
	group: string;
	label: string;
	/** Further words by which it is found. */
	words?: string;
	icon: string;
	keys?: string;
	act: () => void;
}

const plain = (text: string) =>
	text
		.toLowerCase()
		.normalize('NFD')
		.replace(/\p{M}/gu, '')
		.replace(/[_/:-]+/g, ' ');

/** The entries that fit, best first; the order given where they fit equally well. */
export function find<E extends Pick<Entry, 'label' | 'words'>>(entries: E[], typed: string): E[] {
	const wanted = plain(typed).split(/\s+/).filter(Boolean);
	if (!wanted.length) return entries;
	const scored = entries.map((entry) => {
		const label = plain(entry.label);
		const all = `${label} ${plain(entry.words ?? '')}`;
		let score = 0;
		for (const word of wanted) {
			if (label.startsWith(word)) score += 3;
			else if (all.split(/\s+/).some((part) => part.startsWith(word))) score += 2;
			else if (all.includes(word)) score += 1;
			else return { entry, score: 0 };
		}
		return { entry, score };
	});
	return scored
		.filter(({ score }) => score > 0)
		.sort((a, b) => b.score - a.score)
		.map(({ entry }) => entry);
}
