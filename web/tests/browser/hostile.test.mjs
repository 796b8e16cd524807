// Text is text, whoever wrote it: no name, message, file or result becomes part of the page.
import assert from 'node:assert/strict';
import { scan } from './support/chat.mjs';
import { scene } from './support/scene.mjs';

const MARKUP = '<img src=x onerror="globalThis.hit=1"><script>globalThis.hit=1</script><svg onload="globalThis.hit=1">';

/** Nothing of it ran, and nothing of it became an element. */
async function harmless(page) {
	assert.equal(await page.evaluate(() => globalThis.hit), undefined);
	assert.equal(await page.locator('img[src="x"], main script, svg[onload]').count(), 0);
}

scene('markup in a message is shown as it was typed', async ({ chat, page }) => {
	await chat.open();
	await chat.say(MARKUP);
	await chat.list.getByText(MARKUP).waitFor();
	await harmless(page);
});

scene('markup in a command is shown as it was typed', async ({ chat, page }) => {
	await chat.open();
	await chat.say('/workflow run <img/src=x/onerror=globalThis.hit=1>');
	await chat.message('There is no workflow').waitFor();
	await harmless(page);
});

scene('markup in what a run gives is shown as it is', async ({ chat, page, service }) => {
	await service.workflow('Gives', [{ type: 'test', id: 'gives', config: { outputs: { text: MARKUP } } }], {
		outputs: { told: '${{ steps.gives.outputs.text }}' },
	});
	await chat.open();
	await chat.say('/workflow run gives');
	await chat.reaches('completed');
	await chat.runs.getByText('onerror').waitFor();
	await harmless(page);
});

scene('markup in the name of a workflow and of a step is shown as it is', async ({ chat, page, service }) => {
	await service.workflow('Bold <b>name</b>', [{ type: 'noop', id: 'only', name: '<img src=x onerror=globalThis.hit=1>' }], { id: 'bold' });
	await chat.open();
	await chat.say('/workflow list');
	await chat.message('Workflows').waitFor();
	await harmless(page);
});

scene('markup in why a run failed is shown as it is', async ({ chat, page, service }) => {
	await service.workflow('Fails', [{ type: 'test', retry: 0, config: { fail: MARKUP } }]);
	await chat.open();
	await chat.say('/workflow run fails');
	await chat.reaches('failed');
	await harmless(page);
});

scene('markup in the name of a file is shown as it is', async ({ chat, page }) => {
	await chat.open();
	await chat.drop({ ...scan(), name: '<img src=x onerror=globalThis.hit=1>.png' });
	await chat.sendFiles();
	await page.getByRole('button', { name: 'Run Document Processing' }).waitFor();
	await harmless(page);
});

scene('an address with a script in it is no link', async ({ chat, page }) => {
	await chat.open();
	await chat.say('see javascript:globalThis.hit=1 and data:text/html,<script>hit</script>');
	await chat.message('see javascript').waitFor();
	assert.equal(await chat.list.locator('a[href^="javascript"], a[href^="data"]').count(), 0);
});

scene('a link to elsewhere does not hand over this page', async ({ chat }) => {
	await chat.open();
	await chat.say('see https://example.org/a');
	const link = chat.list.getByRole('link', { name: 'https://example.org/a' });
	assert.equal(await link.getAttribute('rel'), 'noopener noreferrer');
});

scene('a script that gets into the page all the same is not run', { forgives: [/policy: script-src|Content Security Policy/] }, async ({ chat, page }) => {
	await chat.open();
	const ran = await page.evaluate(async () => {
		const script = document.createElement('script');
		script.textContent = 'globalThis.hit = 1';
		document.body.append(script);
		return globalThis.hit;
	});
	assert.equal(ran, undefined);
});

scene('the page cannot be put into a frame of another site', async ({ service }) => {
	const answer = await fetch(service.url);
	assert.match(answer.headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/);
});
