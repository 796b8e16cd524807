// Reading: long conversations, other channels, what is new.
import assert from 'node:assert/strict';
import { said } from './support/chat.mjs';
import { scene } from './support/scene.mjs';
import { document } from './support/service.mjs';
import { until } from './support/until.mjs';

const names = (count) => Array.from({ length: count }, (_, index) => `message ${String(index + 1).padStart(3, '0')}`);

/** Has all of them said, in this order. */
async function fill(service, texts, channel) {
	for (const text of texts) await service.say(text, channel);
}

const scrollTop = (chat) => chat.list.evaluate((list) => list.scrollTop);
const fromEnd = (chat) => chat.list.evaluate((list) => list.scrollHeight - list.scrollTop - list.clientHeight);

scene('a long conversation opens at its end', async ({ chat, service }) => {
	await fill(service, names(80));
	await chat.open();
	await chat.message('message 080').waitFor();
	await until('the end is in sight', async () => (await fromEnd(chat)) < 2);
});

scene('who scrolls up reads back to the first message, without gap and in order', async ({ chat, service, page }) => {
	const texts = names(120);
	await fill(service, texts);
	await chat.open();
	await chat.message('message 120').waitFor();
	await until('the beginning is reached', async () => {
		await chat.list.evaluate((list) => (list.scrollTop = 0));
		return (await page.getByText('This is where the conversation begins.').count()) === 1;
	});
	assert.deepEqual(await said(chat), texts);
});

scene('older messages that are loaded do not move what is being read', async ({ chat, service }) => {
	await fill(service, names(120));
	await chat.open();
	await chat.message('message 120').waitFor();
	await chat.list.evaluate((list) => (list.scrollTop = 60));
	const before = await chat.message('message 075').evaluate((message) => message.getBoundingClientRect().top);
	await chat.message('message 065').waitFor({ state: 'attached' });
	const after = await until('it stands where it stood', async () => {
		const top = await chat.message('message 075').evaluate((message) => message.getBoundingClientRect().top);
		return Math.abs(top - before) < 4 && { top };
	});
	assert.ok(after);
});

scene('a new message is followed by who reads at the end', async ({ chat, service }) => {
	await fill(service, names(40));
	await chat.open();
	await chat.message('message 040').waitFor();
	await service.say('the news');
	await chat.message('the news').waitFor();
	await until('the end is in sight', async () => (await fromEnd(chat)) < 2);
});

scene('a new message does not move who reads further up', async ({ chat, service, page }) => {
	await fill(service, names(40));
	await chat.open();
	await chat.message('message 040').waitFor();
	await until('the end is in sight', async () => (await fromEnd(chat)) < 2);
	await chat.list.hover();
	await page.mouse.wheel(0, -400);
	await until('it is scrolled', async () => (await fromEnd(chat)) > 300);
	const before = await scrollTop(chat);
	await service.say('the news');
	await page.getByRole('button', { name: 'New messages' }).waitFor();
	assert.equal(await scrollTop(chat), before);
});

scene('the answer to what was pressed further up is brought into sight', async ({ chat, service, page }) => {
	await service.workflow('Quick', [{ type: 'noop', name: 'Only' }]);
	await chat.open();
	await chat.say('/workflow run quick');
	await chat.reaches('completed');
	await fill(service, names(40));
	await chat.message('message 040').waitFor();
	await chat.runs.getByRole('button', { name: 'Logs' }).click();
	await chat.message('What happened in').waitFor();
	await until('the end is in sight', async () => (await fromEnd(chat)) < 2);
});

scene('New messages leads to the end', async ({ chat, service, page }) => {
	await fill(service, names(40));
	await chat.open();
	await chat.message('message 040').waitFor();
	await until('the end is in sight', async () => (await fromEnd(chat)) < 2);
	await chat.list.hover();
	await page.mouse.wheel(0, -400);
	await until('it is scrolled', async () => (await fromEnd(chat)) > 300);
	await service.say('the news');
	await page.getByRole('button', { name: 'New messages' }).click();
	await until('the end is in sight', async () => (await fromEnd(chat)) < 2);
});

scene('a channel in which something new was said is marked, until it is looked at', async ({ chat, service, page }) => {
	await chat.open();
	const { channels } = await service.ask('GET', '/api/chat/channels');
	await page.getByRole('navigation').getByRole('link', { name: 'workflow', exact: true }).click();
	await page.getByRole('heading', { level: 1, name: 'workflow' }).waitFor();
	await service.say('the news', channels[0].id);
	await page.getByRole('link', { name: `${channels[0].name} new messages` }).click();
	await chat.message('the news').waitFor();
	assert.equal(await page.getByText('new messages', { exact: true }).count(), 0);
});

scene('an answer in the thread of a run names the run', async ({ chat, service, page }) => {
	await service.workflow('Quick', [{ type: 'noop', name: 'Only' }]);
	await chat.open();
	await chat.say('/workflow run quick');
	await chat.reaches('completed');
	await chat.runs.hover();
	await page.getByRole('button', { name: 'Reply: Quick' }).click();
	await chat.say('well done');
	await chat.message('well done').getByText('in the thread of Quick').waitFor();
});

scene('a command in the thread of a run concerns that run', async ({ chat, service, page }) => {
	await service.workflow('Slow', [{ type: 'test', name: 'Long', config: { sleep: '60s' } }]);
	await chat.open();
	await chat.say('/workflow run slow');
	await chat.reaches('running');
	await chat.runs.hover();
	await page.getByRole('button', { name: 'Reply: Slow' }).click();
	await chat.say('cancel');
	await chat.reaches('cancelled');
});

scene('a file of a message can be fetched again', async ({ chat, service }) => {
	await service.ask('POST', '/api/chat/general/messages', {
		client_id: 'with-file',
		text: 'the scan',
		files: [await service.upload(document('scan-de.png'), 'letter.png')],
	});
	await chat.open();
	const fetched = chat.page.waitForEvent('download');
	await chat.list.getByRole('link', { name: 'letter.png' }).click();
	assert.equal((await fetched).suggestedFilename(), 'letter.png');
});
