// What happens when nobody answers, when the answer is a refusal, or when it takes long.
import assert from 'node:assert/strict';
import { said, scan } from './support/chat.mjs';
import { REFUSED, UNREACHABLE, scene } from './support/scene.mjs';

const CUT = { forgives: [UNREACHABLE] };
const NO = { forgives: [REFUSED] };
const REFUSAL = {
	status: 503,
	contentType: 'application/problem+json',
	body: JSON.stringify({ status: 503, code: 'WF5999', message: 'the disk is full', fix: 'make room', request_id: 'req_17' }),
};
/** Where messages are sent; they are read with a query behind it. */
const SENDING = '**/messages';
const HALVES = ['Half', 'Other half'].map((name) => ({ type: 'test', name, config: { sleep: '2s' } }));

/** No timer of the page fires from here on: it does not come back before it is told to. */
async function standStill(page) {
	await page.clock.install();
	await page.clock.pauseAt(Date.now() + 1000);
}

scene('a connection that is lost is said', CUT, async ({ chat, service, page }) => {
	await chat.open();
	await service.kill();
	await page.getByText('Connection lost.').waitFor();
});

scene('buttons of cards rest while the connection is lost', CUT, async ({ chat, service, page }) => {
	await chat.open();
	await chat.say('/workflow run documnt_procesing');
	const button = page.getByRole('button', { name: 'Run it' });
	await button.waitFor();
	await service.kill();
	await page.getByText('Connection lost.').waitFor();
	assert.equal(await button.isDisabled(), true);
});

scene('the page comes back by itself when the service does', CUT, async ({ chat, service, page }) => {
	await chat.open();
	await service.kill();
	await page.getByText('Connection lost.').waitFor();
	await service.startAgain();
	await chat.live();
	assert.equal(await page.getByText('Connection lost.').count(), 0);
});

scene('Try now connects at once', CUT, async ({ chat, service, page }) => {
	await chat.open();
	await standStill(page);
	await service.kill();
	await page.getByText('Connection lost.').waitFor();
	await service.startAgain();
	await page.getByRole('button', { name: 'Try now' }).click();
	await chat.live();
});

scene('what was said while the connection was lost is there afterwards, once and in order', CUT, async ({ chat, service, page }) => {
	await chat.open();
	await chat.say('before');
	await chat.message('before').waitFor();
	await standStill(page);
	await service.kill();
	await page.getByText('Connection lost.').waitFor();
	await service.startAgain();
	for (const text of ['one', 'two', 'three']) await service.say(text);
	await page.getByRole('button', { name: 'Try now' }).click();
	await chat.message('three').waitFor();
	assert.deepEqual(await said(chat), ['before', 'one', 'two', 'three']);
});

scene('the card of a run goes on after the service was killed in its middle', CUT, async ({ chat, service }) => {
	await service.workflow('Halves', HALVES);
	await chat.open();
	await chat.say('/workflow run halves');
	await chat.reaches('running');
	await service.kill();
	await service.startAgain();
	await chat.reaches('completed');
	assert.equal(await chat.runs.count(), 1);
});

scene('a message that could not be sent goes out by itself when the service is back', CUT, async ({ chat, service, page }) => {
	await chat.open();
	await service.kill();
	await page.getByText('Connection lost.').waitFor();
	await chat.say('are you there?');
	await page.getByRole('button', { name: 'Send again' }).waitFor();
	await service.startAgain();
	await chat.message('are you there?').waitFor();
	assert.deepEqual(await said(chat), ['are you there?']);
});

scene('what is written before the conversation could be had is shown, and both come when the service is back', CUT, async ({ chat, service, page }) => {
	await page.route('**/messages?*', (route) => route.abort());
	await page.goto('/');
	await chat.list.getByText('The service does not answer').waitFor();
	await service.kill();
	await page.getByText('Connection lost.').waitFor();
	await chat.say('is anybody here?');
	await page.getByRole('button', { name: 'Send again' }).waitFor();
	await page.unroute('**/messages?*');
	await service.startAgain();
	await chat.message('is anybody here?').waitFor();
	assert.deepEqual(await said(chat), ['is anybody here?']);
});

scene('a message that was written without a network goes out by itself when there is one again', CUT, async ({ chat, page }) => {
	await chat.open();
	await page.context().setOffline(true);
	await chat.say('from the tunnel');
	await page.getByRole('button', { name: 'Send again' }).waitFor();
	await page.context().setOffline(false);
	await chat.message('from the tunnel').waitFor();
	assert.deepEqual(await said(chat), ['from the tunnel']);
});

scene('a message that could not be sent can be dropped', CUT, async ({ chat, page }) => {
	await chat.open();
	await page.route(SENDING, (route) => route.abort());
	await chat.say('never mind');
	await page.getByRole('button', { name: 'Discard' }).click();
	await page.getByText('never mind').waitFor({ state: 'detached' });
});

scene('a message whose answer was lost is not said twice', CUT, async ({ chat, page }) => {
	await chat.open();
	const lost = async (route) => {
		await route.fetch();
		await route.abort();
	};
	await page.route(SENDING, lost, { times: 1 });
	await chat.say('only once');
	await chat.message('only once').waitFor();
	await chat.say('and another');
	await chat.message('and another').waitFor();
	assert.deepEqual(await said(chat), ['only once', 'and another']);
});

scene('a message that is refused says why, with its code and what to do', NO, async ({ chat, page }) => {
	await chat.open();
	await page.route(SENDING, (route) => route.fulfill(REFUSAL));
	await chat.say('hello');
	const trouble = page.getByRole('alert');
	await trouble.waitFor();
	const text = await trouble.innerText();
	assert.deepEqual(['The disk is full', 'make room', 'WF5999', 'req_17'].filter((part) => !text.includes(part)), []);
});

scene('a message that was refused can be sent again', NO, async ({ chat, page }) => {
	await chat.open();
	await page.route(SENDING, (route) => route.fulfill(REFUSAL));
	await chat.say('hello');
	await page.getByRole('button', { name: 'Send again' }).waitFor();
	await page.unroute(SENDING);
	await page.getByRole('button', { name: 'Send again' }).click();
	await chat.message('hello').waitFor();
});

scene('a message is shown as being sent until the service has taken it', async ({ chat, page }) => {
	await chat.open();
	let release;
	const held = new Promise((resolve) => (release = resolve));
	await page.route(SENDING, async (route) => {
		await held;
		await route.continue();
	});
	await chat.say('slowly');
	await page.getByText('sending…').waitFor();
	release();
	await page.getByText('sending…').waitFor({ state: 'detached' });
	await chat.message('slowly').waitFor();
});

scene('a conversation that cannot be loaded can be asked for again', NO, async ({ chat, page }) => {
	await page.route('**/messages*', (route) => route.fulfill(REFUSAL));
	await page.goto('/');
	await page.getByRole('alert').getByText('The disk is full').waitFor();
	await page.unroute('**/messages*');
	await page.getByRole('button', { name: 'Try again' }).click();
	await chat.list.getByText('Type a command, or drop a file').waitFor();
});

scene('the page says so when nobody answers at all, and can be asked again', CUT, async ({ chat, page }) => {
	await page.route('**/api/session', (route) => route.abort());
	await page.goto('/');
	await page.getByRole('alert').getByText('The service does not answer').waitFor();
	await page.unroute('**/api/session');
	await page.getByRole('button', { name: 'Try again' }).click();
	await chat.live();
});

scene('an action that is refused says why beneath its card', NO, async ({ chat, page }) => {
	await chat.open();
	await chat.say('/workflow run documnt_procesing');
	await page.route('**/actions', (route) => route.fulfill(REFUSAL));
	await page.getByRole('button', { name: 'Run it' }).click();
	await chat.message('There is no workflow').getByRole('alert').getByText('The disk is full').waitFor();
});

scene('a file that is too large is refused by name', { settings: { UPLOAD_LIMIT: '1KB' }, ...NO }, async ({ chat, page }) => {
	await chat.open();
	await chat.drop(scan());
	await page.getByText('scan-de.png was not uploaded').waitFor();
});

scene('an upload shows how far it is', async ({ chat, page }) => {
	await chat.open();
	let release;
	const held = new Promise((resolve) => (release = resolve));
	await page.route('**/api/files', async (route) => {
		await held;
		await route.continue();
	});
	await chat.drop(scan());
	await page.getByRole('progressbar', { name: 'scan-de.png' }).waitFor();
	release();
	await page.getByRole('progressbar').waitFor({ state: 'detached' });
});
