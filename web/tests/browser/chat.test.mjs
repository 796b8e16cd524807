// The main job, in the chat: a command, a scan, and one message that goes along to the end.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { scene } from './support/scene.mjs';
import { document } from './support/service.mjs';

const SCAN = { name: 'scan-de.png', type: 'image/png', path: document('scan-de.png') };
const scan = async () => ({ ...SCAN, bytes: await readFile(SCAN.path) });
const COMMAND = '/workflow run document_processing';

scene('a run that is started in the chat asks for its file', async ({ chat }) => {
	await chat.open();
	await chat.say(COMMAND);
	await chat.reaches('waiting');
	await chat.runs.getByLabel('the file to work on').waitFor();
});

scene('the first line about a run that was started names the execution', async ({ chat, service }) => {
	await chat.open();
	await chat.say(COMMAND);
	const line = await chat.runs.getByText('Workflow started: exec_').innerText();
	const execution = line.split(' ').at(-1);
	assert.equal((await service.ask('GET', `/api/workflow/${execution}/status`)).execution_id, execution);
});

scene('a scan that is dropped onto the page is read to the end in the one card that asked for it', async ({ chat }) => {
	await chat.open();
	await chat.say(COMMAND);
	await chat.reaches('waiting');
	await chat.drop(await scan());
	await chat.page.getByText('scan-de.png').first().waitFor();
	await chat.field.press('Enter');
	await chat.reaches('completed');
	assert.equal(await chat.runs.count(), 1);
});
