// Language, light and dark, and small screens.
import assert from 'node:assert/strict';
import { scene } from './support/scene.mjs';

/** How bright the page's ground is, from 0 to 255. */
const brightness = (page) =>
	page.evaluate(() => {
		const [red, green, blue] = getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number);
		return (red + green + blue) / 3;
	});

scene('a German browser gets a German page', { look: { locale: 'de-DE' } }, async ({ page }) => {
	await page.goto('/');
	await page.getByRole('link', { name: 'Dokumente' }).waitFor();
	assert.equal(await page.locator('html').getAttribute('lang'), 'de');
});

scene('a browser of another language gets an English page', { look: { locale: 'fr-FR' } }, async ({ chat, page }) => {
	await chat.open();
	assert.equal(await page.locator('html').getAttribute('lang'), 'en');
});

scene('the language that was chosen stays over a reload', async ({ chat, page }) => {
	await chat.open();
	await page.getByLabel('Language').selectOption('de');
	await page.locator('html[lang="de"]').waitFor();
	await page.reload();
	await page.getByLabel('Sprache').waitFor();
});

scene('times are written as the language does', { look: { locale: 'de-DE' } }, async ({ page, service }) => {
	await service.say('guten Tag');
	await page.goto('/');
	await page.getByText(/^(Mon|Diens|Mitt|Donners|Frei|Sams|Sonn)\w+, \d+\. \p{L}+$/u).waitFor();
});

scene('a browser that prefers dark gets a dark page', { look: { colorScheme: 'dark' } }, async ({ chat, page }) => {
	await chat.open();
	assert.ok((await brightness(page)) < 60);
});

scene('a browser that prefers light gets a light page', async ({ chat, page }) => {
	await chat.open();
	assert.ok((await brightness(page)) > 200);
});

scene('the theme that was chosen stays over a reload', async ({ chat, page }) => {
	await chat.open();
	await page.getByRole('button', { name: 'Theme: Dark' }).click();
	await page.reload();
	await chat.live();
	assert.ok((await brightness(page)) < 60);
});

scene('the theme follows the system while the page is open', async ({ chat, page }) => {
	await chat.open();
	await page.emulateMedia({ colorScheme: 'dark' });
	assert.ok((await brightness(page)) < 60);
});

const SMALL = { look: { viewport: { width: 360, height: 740 }, hasTouch: true } };

scene('nothing is wider than a small screen', SMALL, async ({ chat, page }) => {
	await page.goto('/');
	await chat.list.waitFor();
	await chat.say('/workflow run document_processing');
	await chat.reaches('waiting');
	await chat.say('/workflow list');
	await chat.message('notification_flow').waitFor();
	assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360);
	const beyond = await page.locator('.card').evaluateAll((cards) => cards.filter((card) => card.scrollWidth > card.clientWidth).length);
	assert.equal(beyond, 0);
});

scene('the menu of a small screen is a drawer', SMALL, async ({ chat, page }) => {
	await page.goto('/');
	await chat.list.waitFor();
	await page.getByRole('button', { name: 'Open menu' }).click();
	await page.getByRole('navigation').getByRole('link', { name: 'Runs' }).click();
	await page.waitForURL('**/runs');
	await page.getByRole('navigation').getByRole('link', { name: 'Runs' }).waitFor({ state: 'hidden' });
});

scene('buttons are large enough for a thumb on a touch screen', { look: { ...SMALL.look, isMobile: true } }, async ({ chat, page }) => {
	await page.goto('/');
	await chat.list.waitFor();
	await chat.say('/workflow run documnt_procesing');
	const box = await page.getByRole('button', { name: 'Run it' }).boundingBox();
	assert.ok(box.height >= 44, `${box.height} px`);
});

scene('nothing turns for people who want no motion', { look: { reducedMotion: 'reduce' } }, async ({ chat, page, service }) => {
	await service.workflow('Slow', [{ type: 'test', name: 'Long', config: { sleep: '60s' } }]);
	await chat.open();
	await chat.say('/workflow run slow');
	await chat.reaches('running');
	const turns = await page.locator('svg.turning').first().evaluate((sign) => getComputedStyle(sign).animationIterationCount);
	assert.equal(turns, '1');
});
