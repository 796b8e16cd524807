// What a test stands on: a service, a window of a real Chromium, and nothing left of either afterwards.
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launch, window } from './browser.mjs';
import { Chat } from './chat.mjs';
import { ROOT, Service } from './service.mjs';

const RESULTS = join(ROOT, 'web/test-results');
const LONGEST = 90_000;

let browser;
before(async () => {
	browser = await launch();
});
after(() => browser?.close());

/**
 * A test, told as a sentence. Options: `settings` of the service, `look` of the window, `forgives`: complaints that belong
 * to what is tested, such as those of a connection that is cut.
 */
export function scene(sentence, options, play) {
	if (typeof options === 'function') [options, play] = [{}, options];
	test(sentence, { timeout: LONGEST }, async () => {
		const service = await Service.start(options.settings);
		const complaints = [];
		const windows = [];
		const open = async (look = {}) => {
			const context = await window(browser, { ...options.look, ...look, baseURL: service.url }, complaints);
			windows.push(context);
			return context.newPage();
		};
		try {
			const page = await open();
			await play({ page, service, open, chat: new Chat(page) });
			const forgiven = (complaint) => (options.forgives ?? []).some((pattern) => pattern.test(complaint));
			assert.deepEqual(complaints.filter((complaint) => !forgiven(complaint)), [], 'the page complained');
		} catch (error) {
			await record(sentence, windows, complaints, service).catch(() => {});
			throw error;
		} finally {
			await Promise.all(windows.map((context) => context.close()));
			await service.remove();
		}
	});
}

/** Keeps what can help to understand a failure. */
async function record(sentence, windows, complaints, service) {
	const name = sentence.replace(/[^a-z0-9]+/gi, '-').slice(0, 80);
	await mkdir(RESULTS, { recursive: true });
	const pages = windows.flatMap((context) => context.pages());
	await Promise.all(pages.map((page, index) => page.screenshot({ path: join(RESULTS, `${name}-${index + 1}.png`) })));
	await writeFile(join(RESULTS, `${name}.log`), `${complaints.join('\n')}\n\n${service.said}`);
}

/** What a browser says by itself when nobody answers, or when an answer is a refusal. */
export const UNREACHABLE = /ERR_CONNECTION_|ERR_FAILED|ERR_INTERNET_DISCONNECTED|ERR_EMPTY_RESPONSE|ERR_ABORTED|WebSocket connection to/;
export const REFUSED = /the server responded with a status of (4|5)\d\d/;
