// A real Chromium, and what a page in it may not do in any test: complain, break its policy, throw, ask another machine.
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/usr/bin/google-chrome-stable'];

/** Where Chromium is. */
function found() {
	const path = process.env.CHROMIUM ?? PLACES.find(existsSync);
	if (!path) throw new Error('there is no Chromium; `make test-web` installs it, or CHROMIUM names one');
	return path;
}

/** Starts a Chromium. Its sandbox does not work for root. */
export const launch = () =>
	chromium.launch({ executablePath: found(), args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });

/** The look of a window that most tests use. */
const USUAL = { viewport: { width: 1280, height: 800 }, locale: 'en-GB', colorScheme: 'light', timezoneId: 'UTC' };

/** A window of its own: cookies, storage and all. Every complaint of a page in it goes to `complaints`. */
export async function window(browser, look, complaints) {
	const context = await browser.newContext({ ...USUAL, ...look });
	context.setDefaultTimeout(15_000);
	await context.addInitScript(() => {
		addEventListener('securitypolicyviolation', (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
	});
	context.on('weberror', (problem) => complaints.push(`thrown: ${problem.error().stack ?? problem.error()}`));
	context.on('console', (message) => {
		if (message.type() === 'error' || message.type() === 'warning') complaints.push(`${message.type()}: ${message.text()} ${message.location().url}`);
	});
	context.on('request', (request) => {
		if (/^(http|ws)/.test(request.url()) && !request.url().startsWith(look.baseURL)) complaints.push(`asks elsewhere: ${request.url()}`);
	});
	context.on('dialog', (dialog) => {
		complaints.push(`dialog: ${dialog.message()}`);
		void dialog.dismiss();
	});
	return context;
}
