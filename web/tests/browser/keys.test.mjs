// Everything without a mouse.
import assert from 'node:assert/strict';
import { scene } from './support/scene.mjs';

const focused = (page) => page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.id ?? '');

/** Presses Tab until the element with the focus is the wanted one. */
async function tabTo(page, locator) {
	for (let presses = 0; presses < 60; presses += 1) {
		await page.keyboard.press('Tab');
		if (await locator.evaluate((element) => element === document.activeElement)) return;
	}
	throw new Error('Tab does not get there');
}

scene('the first Tab offers to skip the menu', async ({ chat, page }) => {
	await chat.open();
	await page.keyboard.press('Tab');
	await page.getByRole('link', { name: 'Skip to content' }).and(page.locator(':focus')).waitFor();
});

scene('who skips the menu is in the content', async ({ chat, page }) => {
	await chat.open();
	await page.keyboard.press('Tab');
	await page.keyboard.press('Enter');
	await page.keyboard.press('Tab');
	assert.equal(await page.evaluate(() => document.activeElement?.closest('main') !== null), true);
});

scene('Ctrl K opens the palette, and Esc closes it', async ({ chat, page }) => {
	await chat.open();
	await page.keyboard.press('Control+k');
	await page.getByRole('dialog', { name: 'Go to or do' }).waitFor();
	await page.keyboard.press('Escape');
	await page.getByRole('dialog').waitFor({ state: 'detached' });
});

scene('the palette does what is chosen', async ({ chat, page }) => {
	await chat.open();
	await page.keyboard.press('Control+k');
	await page.getByRole('combobox', { name: 'Go to or do' }).fill('theme dark');
	await page.keyboard.press('Enter');
	await page.locator('html[data-theme="dark"]').waitFor();
});

scene('the palette knows the workflows', async ({ chat, page, service }) => {
	await service.workflow('Nightly Letters', [{ type: 'noop' }]);
	await chat.open();
	await page.keyboard.press('Control+k');
	await page.getByRole('combobox', { name: 'Go to or do' }).fill('night');
	await page.getByRole('option', { name: 'Nightly Letters' }).waitFor();
});

scene('arrows move through the palette', async ({ chat, page }) => {
	await chat.open();
	await page.keyboard.press('Control+k');
	await page.getByRole('dialog').waitFor();
	await page.keyboard.press('ArrowDown');
	await page.getByRole('option', { name: 'Runs', selected: true }).waitFor();
});

scene('closing a dialog gives the focus back', async ({ chat, page }) => {
	await chat.open();
	await chat.field.focus();
	await page.keyboard.press('Control+k');
	await page.getByRole('dialog').waitFor();
	await page.keyboard.press('Escape');
	await page.getByRole('dialog').waitFor({ state: 'detached' });
	assert.equal(await focused(page), 'Message or /command');
});

scene('a question mark shows the keys', async ({ chat, page }) => {
	await chat.open();
	await page.keyboard.press('?');
	await page.getByRole('dialog', { name: 'Keys' }).waitFor();
});

scene('a question mark in a message is a question mark', async ({ chat, page }) => {
	await chat.open();
	await chat.field.focus();
	await page.keyboard.type('why?');
	assert.equal(await chat.field.inputValue(), 'why?');
	assert.equal(await page.getByRole('dialog').count(), 0);
});

scene('a slash goes to the field for messages', async ({ chat, page }) => {
	await chat.open();
	await page.keyboard.press('/');
	assert.equal(await focused(page), 'Message or /command');
});

scene('g and a letter go to a page and back', async ({ chat, page }) => {
	await chat.open();
	await page.keyboard.press('g');
	await page.keyboard.press('r');
	await page.waitForURL('**/runs');
	await page.keyboard.press('g');
	await page.keyboard.press('c');
	await page.waitForURL((url) => url.pathname === '/');
});

scene('a command that is being typed is completed with Tab', async ({ chat, page }) => {
	await chat.open();
	await chat.field.pressSequentially('/workflow run docu');
	await page.getByRole('listbox', { name: 'Proposals' }).waitFor();
	await page.keyboard.press('Tab');
	await page.waitForFunction(() => document.querySelector('textarea')?.value === '/workflow run document_processing ');
});

scene('Tab waits for the proposals that belong to what is typed', async ({ chat, page }) => {
	await chat.open();
	await chat.field.pressSequentially('/workflow r');
	await page.getByRole('listbox', { name: 'Proposals' }).waitFor();
	await page.route('**/api/chat/complete*', async (route) => {
		await new Promise((resolve) => setTimeout(resolve, 300));
		await route.continue();
	});
	await chat.field.pressSequentially('un docu');
	await page.keyboard.press('Tab');
	assert.equal(await chat.field.inputValue(), '/workflow run docu', 'a proposal for what was typed before was taken');
	await page.waitForFunction(() => document.querySelector('textarea')?.value === '/workflow run document_processing ');
});

scene('arrows choose among the proposals, and Enter takes one', async ({ chat, page }) => {
	await chat.open();
	await chat.field.pressSequentially('/workflow run ');
	await page.getByRole('option', { name: 'data_pipeline' }).waitFor();
	await page.keyboard.press('ArrowDown');
	await page.keyboard.press('ArrowDown');
	const second = await page.getByRole('option', { selected: true }).locator('code').innerText();
	await page.keyboard.press('Enter');
	assert.equal((await chat.field.inputValue()).trim(), second);
});

scene('Esc closes the proposals and keeps what was typed', async ({ chat, page }) => {
	await chat.open();
	await chat.field.pressSequentially('/workflow r');
	await page.getByRole('listbox', { name: 'Proposals' }).waitFor();
	await page.keyboard.press('Escape');
	await page.getByRole('listbox').waitFor({ state: 'detached' });
	assert.equal(await chat.field.inputValue(), '/workflow r');
});

scene('the inputs of a workflow are proposed by name', async ({ chat, page, service }) => {
	await service.workflow('Asks', [{ type: 'noop' }], { inputs: { city: { type: 'string', label: 'City' } } });
	await chat.open();
	await chat.field.pressSequentially('/workflow run asks ');
	await page.getByRole('option', { name: 'city=' }).waitFor();
});

scene('arrow up brings the last commands back, newest first', async ({ chat, page }) => {
	await chat.open();
	for (const line of ['/workflow list', '/workflow whoami']) {
		await chat.say(line);
		await chat.message(line).first().waitFor();
	}
	await chat.field.focus();
	await page.keyboard.press('ArrowUp');
	await page.keyboard.press('ArrowUp');
	assert.equal(await chat.field.inputValue(), '/workflow list');
});

scene('arrow down goes back to the empty field', async ({ chat, page }) => {
	await chat.open();
	await chat.say('/workflow list');
	await chat.message('/workflow list').first().waitFor();
	await page.keyboard.press('ArrowUp');
	await page.keyboard.press('ArrowDown');
	assert.equal(await chat.field.inputValue(), '');
});

scene('Shift Enter makes a new line instead of sending', async ({ chat, page }) => {
	await chat.open();
	await chat.field.focus();
	await page.keyboard.type('one');
	await page.keyboard.press('Shift+Enter');
	await page.keyboard.type('two');
	await page.keyboard.press('Enter');
	await chat.message('one\ntwo').waitFor();
});

scene('a run is started and stopped without a mouse', async ({ chat, page, service }) => {
	await service.workflow('Slow', [{ type: 'test', name: 'Long', config: { sleep: '60s' } }]);
	await chat.open();
	await page.keyboard.press('/');
	await page.keyboard.type('/workflow run slow');
	await page.keyboard.press('Enter');
	await chat.reaches('running');
	await page.keyboard.press('Escape');
	await tabTo(page, chat.runs.getByRole('button', { name: 'Cancel' }));
	await page.keyboard.press('Enter');
	await chat.reaches('cancelled');
});
