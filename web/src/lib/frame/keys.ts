/** Keys for the whole page. Nothing happens while somebody writes, and no key of the browser is taken. */

/** Whether a key pressed here is text for a field. */
export function writing(event: Event) {
	const target = event.target;
	return (
		target instanceof HTMLElement &&
		(target.isContentEditable || target.closest('textarea, select, [role="combobox"], input:not([type="checkbox"], [type="button"])') !== null)
	);
}

/** A key alone: no modifier, no field, no dialog above. */
export const bare = (event: KeyboardEvent) =>
	!event.ctrlKey && !event.metaKey && !event.altKey && !event.isComposing && !writing(event) && !document.querySelector('dialog[open]');

/** Two keys in a row: `g` and the page's letter. Returns the handler; `go` says whether the letter was one. */
export function chord(first: string, go: (letter: string) => boolean, within = 1200) {
	let at = -Infinity;
	return (event: KeyboardEvent): boolean => {
		if (!bare(event)) return false;
		if (performance.now() - at < within) {
			at = -Infinity;
			return go(event.key);
		}
		if (event.key === first) {
			at = performance.now();
			return true;
		}
		return false;
	};
}
