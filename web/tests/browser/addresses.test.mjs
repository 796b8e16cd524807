// Every place has an address, and an address that is no place says so.
import assert from 'node:assert/strict';
import { scene } from './support/scene.mjs';

/** SvelteKit tells the console of an address that is no page. */
const NOWHERE = { forgives: [/Not found: \/nowhere/] };

scene('an address that is no page says so, and leads back', NOWHERE, async ({ chat, page }) => {
	await page.goto('/nowhere');
	await page.getByRole('heading', { name: 'There is no such page' }).waitFor();
	await page.getByRole('link', { name: 'To the chat' }).click();
	await chat.list.waitFor();
});

scene('a channel that does not exist says so', async ({ page }) => {
	await page.goto('/chat/nowhere');
	await page.getByRole('heading', { name: 'There is no such page' }).waitFor();
});

scene('a channel can be opened by its address', async ({ chat, page, service }) => {
	await service.say('hello');
	await chat.open('/chat/general');
	await chat.message('hello').waitFor();
	await page.getByRole('heading', { level: 1, name: 'general' }).waitFor();
});

scene('the browser goes back from one channel to the other', async ({ chat, page, service }) => {
	await service.say('hello');
	await chat.open('/chat/general');
	await page.getByRole('navigation').getByRole('link', { name: 'workflow', exact: true }).click();
	await page.getByRole('heading', { level: 1, name: 'workflow' }).waitFor();
	await page.goBack();
	await chat.message('hello').waitFor();
});

scene('the title of the window names the channel', async ({ chat, page }) => {
	await chat.open('/chat/general');
	assert.match(await page.title(), /^general · /);
});

scene('an address of the service that does not exist is no page', async ({ service }) => {
	const answer = await fetch(`${service.url}/api/nowhere`);
	assert.deepEqual([answer.status, answer.headers.get('content-type')], [404, 'application/problem+json']);
});
