// The main job, in the chat: a command, a scan, and one message that goes along to the end.
import assert from 'node:assert/strict';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { said, scan } from './support/chat.mjs';
import { scene } from './support/scene.mjs';
import { document } from './support/service.mjs';

const READ = '/workflow run document_processing';
const SLOW = [
	{ type: 'noop', name: 'First' },
	{ type: 'test', name: 'Long', config: { sleep: '60s' } },
];

scene('a run that is started in the chat asks for its file', async ({ chat }) => {
	await chat.open();
	await chat.say(READ);
	await chat.runs.getByLabel('the file to work on').waitFor();
});

scene('the first line about a run names its execution', async ({ chat, service }) => {
	await chat.open();
	await chat.say(READ);
	const line = await chat.runs.getByText('Workflow started: exec_').innerText();
	const execution = line.split(' ').at(-1);
	assert.equal((await service.ask('GET', `/api/workflow/${execution}/status`)).execution_id, execution);
});

scene('a scan that is dropped onto the page is given to the run that waits for it', async ({ chat }) => {
	await chat.open();
	await chat.say(READ);
	await chat.reaches('waiting');
	await chat.drop(scan());
	await chat.sendFiles();
	await chat.reaches('completed');
});

scene('a file can be chosen with the button', async ({ chat, page }) => {
	await chat.open();
	const chooser = page.waitForEvent('filechooser');
	await page.getByRole('button', { name: 'Attach files' }).click();
	await (await chooser).setFiles(document('scan-de.png'));
	await chat.field.fill(READ);
	await chat.sendFiles();
	await chat.reaches('completed');
});

scene('a file can be given in the form of the card', async ({ chat }) => {
	await chat.open();
	await chat.say(READ);
	await chat.runs.getByLabel('the file to work on').setInputFiles(document('scan-de.png'));
	await chat.runs.getByRole('button', { name: 'Send' }).click();
	await chat.reaches('completed');
});

scene('a run has one card, from the first state to the last', async ({ chat }) => {
	await chat.open();
	await chat.say(READ);
	await chat.reaches('waiting');
	const [first] = await chat.runs.evaluateAll((cards) => cards.map(({ id }) => id));
	await chat.drop(scan());
	await chat.sendFiles();
	await chat.reaches('completed');
	assert.deepEqual(await chat.runs.evaluateAll((cards) => cards.map(({ id }) => id)), [first]);
});

scene('a card goes through the states of its run without a reload', async ({ chat, service }) => {
	await service.workflow('Brief', [{ type: 'test', name: 'Work', config: { sleep: '2s' } }]);
	await chat.open();
	await chat.notesStates();
	await chat.say('/workflow run brief');
	await chat.reaches('completed');
	assert.deepEqual((await chat.states()).slice(-2), ['running', 'completed']);
});

scene('each step of a card says how it ended', async ({ chat }) => {
	await chat.open();
	await chat.drop(scan());
	await chat.field.fill(READ);
	await chat.sendFiles();
	await chat.reaches('completed');
	const lines = await chat.runs.getByRole('list', { name: 'Steps' }).getByRole('listitem').allInnerTexts();
	assert.deepEqual(lines.map((line) => /completed/.test(line)), [true, true, true, true]);
});

scene('a scan without a command is offered to the workflow for documents', async ({ chat, page }) => {
	await chat.open();
	await chat.drop(scan());
	await chat.sendFiles();
	await page.getByRole('button', { name: 'Run Document Processing' }).click();
	await chat.reaches('completed');
});

scene('a document that is brought a second time is recognised', async ({ chat }) => {
	await chat.open();
	await chat.drop(scan());
	await chat.field.fill(READ);
	await chat.sendFiles();
	await chat.reaches('completed');
	await chat.drop(scan());
	await chat.sendFiles();
	await chat.message('was already processed in').waitFor();
});

scene('help lists what can be said', async ({ chat }) => {
	await chat.open();
	await chat.say('/workflow help');
	await chat.message('What you can say here').getByText('run document_processing').waitFor();
});

scene('an answer that concerns nobody else says so', async ({ chat }) => {
	await chat.open();
	await chat.say('/workflow help');
	await chat.message('What you can say here').getByText('Only you see this').waitFor();
});

scene('a private answer can be shared with the channel', async ({ chat, page, open }) => {
	await chat.open();
	await chat.say('/workflow help');
	await chat.message('What you can say here').getByRole('button', { name: 'Share' }).click();
	await chat.message('What you can say here').nth(1).waitFor();
	assert.equal(await page.getByText('Only you see this').count(), 1);
});

scene('a name that was mistyped can be run by one press', async ({ chat, page }) => {
	await chat.open();
	await chat.say('/workflow run documnt_procesing');
	await page.getByRole('button', { name: 'Run it' }).click();
	await chat.reaches('waiting');
});

scene('a run that failed tells the cause', async ({ chat }) => {
	await chat.open();
	await chat.drop(scan('nasty/encrypted_user_password.pdf', 'application/pdf'));
	await chat.field.fill(READ);
	await chat.sendFiles();
	await chat.reaches('failed');
	await chat.runs.getByText('the document is encrypted').waitFor();
});

scene('a run that failed tells what to do', async ({ chat }) => {
	await chat.open();
	await chat.drop(scan('nasty/encrypted_user_password.pdf', 'application/pdf'));
	await chat.field.fill(READ);
	await chat.sendFiles();
	await chat.reaches('failed');
	await chat.runs.getByText('save it without a password and give it again').waitFor();
});

scene('Retry runs what failed again, in the same card', async ({ chat, service }) => {
	await chat.open();
	await chat.say(`${READ} file_path=${service.folder}/inbox/late.png`);
	await chat.reaches('failed');
	await mkdir(join(service.folder, 'inbox'), { recursive: true });
	await copyFile(document('scan-de.png'), join(service.folder, 'inbox/late.png'));
	await chat.runs.getByRole('button', { name: 'Retry' }).click();
	await chat.reaches('completed');
});

scene('Cancel stops the run', async ({ chat, service }) => {
	await service.workflow('Slow', SLOW);
	await chat.open();
	await chat.say('/workflow run slow');
	await chat.reaches('running');
	await chat.runs.getByRole('button', { name: 'Cancel' }).click();
	await chat.reaches('cancelled');
});

scene('a run that was paused goes on when it is resumed', async ({ chat, service }) => {
	await service.workflow('Two', [{ type: 'test', name: 'One', config: { sleep: '1s' } }, { type: 'noop', name: 'Other' }]);
	await chat.open();
	await chat.say('/workflow run two');
	await chat.runs.getByRole('button', { name: 'Pause' }).click();
	await chat.reaches('paused');
	await chat.runs.getByRole('button', { name: 'Resume' }).click();
	await chat.reaches('completed');
});

scene('a run can be repeated from its card', async ({ chat, service }) => {
	await service.workflow('Quick', [{ type: 'noop', name: 'Only' }]);
	await chat.open();
	await chat.say('/workflow run quick');
	await chat.runs.getByRole('button', { name: 'Rerun' }).click();
	await chat.runs.nth(1).getByText('repeats').waitFor();
});

const ASKS = {
	inputs: {
		city: { type: 'string', required: true, label: 'City' },
		copies: { type: 'integer', required: true, label: 'Copies', max: 10 },
		kind: { options: ['invoice', 'receipt'], required: true, label: 'Kind' },
	},
	outputs: { told: '${{ inputs.city }} x ${{ inputs.copies }} x ${{ inputs.kind }}' },
};

scene('inputs that are missing are asked for in a form', async ({ chat, service, page }) => {
	await service.workflow('Asks', [{ type: 'noop', name: 'Only' }], ASKS);
	await chat.open();
	await chat.say('/workflow run asks');
	await page.getByLabel('City').fill('Ulm');
	await page.getByLabel('Copies').fill('3');
	await page.getByLabel('Kind').selectOption('receipt');
	await chat.runs.getByRole('button', { name: 'Send' }).click();
	await chat.runs.getByText('Ulm x 3 x receipt').waitFor();
});

scene('an answer that does not fit is refused with the reason, and the form stays', async ({ chat, service, page }) => {
	await service.workflow('Asks', [{ type: 'noop', name: 'Only' }], ASKS);
	await chat.open();
	await chat.say('/workflow run asks city=Ulm kind=invoice');
	await page.getByLabel('Copies').fill('50');
	await chat.runs.getByRole('button', { name: 'Send' }).click();
	await chat.message('must be at most 10').waitFor();
	await page.getByLabel('Copies').fill('5');
	await chat.runs.getByRole('button', { name: 'Send' }).click();
	await chat.reaches('completed');
});

scene('what one person says in a channel is seen by another at once', async ({ chat, open }) => {
	await chat.open();
	const other = chat.of(await open());
	await other.open();
	await other.say(READ);
	await chat.message(READ).waitFor();
});

scene('two browsers see the same card, and both see it end', async ({ chat, open, service }) => {
	await service.workflow('Slow', SLOW);
	await chat.open();
	const other = chat.of(await open());
	await other.open();
	await chat.say('/workflow run slow');
	await other.reaches('running');
	await other.runs.getByRole('button', { name: 'Cancel' }).click();
	await chat.reaches('cancelled');
	await other.reaches('cancelled');
	assert.equal(await chat.runs.innerText(), await other.runs.innerText());
});

scene('a reload shows the same conversation', async ({ chat, page }) => {
	await chat.open();
	await chat.say('/workflow run documnt_procesing');
	await page.getByRole('button', { name: 'Run it' }).click();
	await chat.reaches('waiting');
	const before = await chat.list.innerText();
	await page.reload();
	await chat.reaches('waiting');
	assert.equal(await chat.list.innerText(), before);
});

scene('messages keep their order over a reload', async ({ chat, service, page }) => {
	await service.workflow('Quick', [{ type: 'noop', name: 'Only' }]);
	await chat.open();
	for (const line of ['/workflow run quick', 'first', 'second']) {
		await chat.say(line);
		await chat.message(line).first().waitFor();
	}
	await chat.reaches('completed');
	await page.reload();
	await chat.reaches('completed');
	assert.deepEqual(await said(chat), ['/workflow run quick', 'first', 'second']);
});

scene('the direct conversation is a channel of its own', async ({ chat, page }) => {
	await chat.open();
	await chat.say('/workflow help');
	await chat.message('What you can say here').waitFor();
	await page.getByRole('navigation').getByRole('link', { name: 'workflow', exact: true }).click();
	await page.getByRole('heading', { level: 1, name: 'workflow' }).waitFor();
	await page.getByText('Type a command, or drop a file').waitFor();
});
