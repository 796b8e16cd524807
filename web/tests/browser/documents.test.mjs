// What was read and kept: found by its words.
import assert from 'node:assert/strict';
import { scene } from './support/scene.mjs';
import { document } from './support/service.mjs';

async function keep(service, file = 'scan-de.png', name = 'letter.png') {
	const execution = await service.execute('document_processing', { file_path: await service.upload(document(file), name) });
	await service.over(execution);
	return execution;
}

async function open(page, path = '/documents') {
	await page.goto(path);
	await page.getByText('live', { exact: true }).waitFor();
	await page.getByRole('heading', { level: 1, name: 'Documents' }).waitFor();
}

async function search(page, words) {
	const field = page.getByRole('searchbox', { name: 'Search in all documents' });
	await field.fill(words);
	await field.press('Enter');
}

scene('without documents the page says how to get one', async ({ page }) => {
	await open(page);
	await page.getByText('No document is stored yet').waitFor();
});

scene('what was read is listed', async ({ page, service }) => {
	await keep(service);
	await open(page);
	await page.getByText('letter.png').first().waitFor();
});

scene('a document is found by a word in it, and the word is marked', async ({ page, service }) => {
	await keep(service);
	await open(page);
	await search(page, 'Beispielrechnung');
	await page.locator('mark', { hasText: /Beispielrechnung/i }).first().waitFor();
});

scene('a search can be kept as an address', async ({ page, service }) => {
	await keep(service);
	await open(page, '/documents?q=Beispielrechnung');
	await page.locator('mark', { hasText: /Beispielrechnung/i }).first().waitFor();
});

scene('a word that is nowhere is said to be nowhere', async ({ page, service }) => {
	await keep(service);
	await open(page);
	await search(page, 'Nilpferd');
	await page.getByText('No document holds “Nilpferd”').waitFor();
});

scene('a document leads to the run that read it', async ({ page, service }) => {
	const execution = await keep(service);
	await open(page);
	await page.getByRole('link', { name: 'Open run' }).first().click();
	await page.waitForURL(`**/runs/${execution}`);
});

scene('a slash goes to the search field', async ({ page }) => {
	await open(page);
	await page.keyboard.press('/');
	assert.equal(await page.getByRole('searchbox', { name: 'Search in all documents' }).evaluate((field) => field === document.activeElement), true);
});

scene('markup in the name of a document is shown as it is', async ({ page, service }) => {
	await keep(service, 'scan-de.png', '<img src=x onerror=globalThis.hit=1>.png');
	await open(page);
	await page.getByText('onerror').first().waitFor();
	assert.equal(await page.evaluate(() => globalThis.hit), undefined);
});
