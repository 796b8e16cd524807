// What axe has to say about a page as it stands: nothing.
import { AxeBuilder } from '@axe-core/playwright';
import assert from 'node:assert/strict';

/** The looks in which every page is held to it. */
export const LOOKS = {
	'in the light': {},
	'in the dark': { colorScheme: 'dark' },
	'on a small screen': { viewport: { width: 360, height: 740 } },
	'on a small screen in the dark': { viewport: { width: 360, height: 740 }, colorScheme: 'dark' },
};

/** Fails with the rule, the element and the reason of each violation. */
export async function accessible(page) {
	// What fades in is judged when it is there. What is broken off meanwhile is over as well.
	await page.evaluate(() => Promise.all(document.getAnimations().filter(({ effect }) => effect?.getComputedTiming().iterations !== Infinity).map(({ finished }) => finished.catch(() => undefined))));
	const { violations } = await new AxeBuilder({ page }).analyze();
	const told = violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`));
	assert.deepEqual(told, []);
}
