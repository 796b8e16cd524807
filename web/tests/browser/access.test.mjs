// Who may come in.
import assert from 'node:assert/strict';
import { REFUSED, UNREACHABLE, scene } from './support/scene.mjs';

const TOKEN = 'correct-horse-battery-staple';
const LOCKED = { settings: { API_TOKEN: TOKEN }, forgives: [REFUSED, UNREACHABLE] };

async function signIn(page, token) {
	await page.goto('/');
	await page.getByLabel('Token').fill(token);
	await page.getByRole('button', { name: 'Sign in' }).click();
}

scene('a service with a token asks for it', LOCKED, async ({ page }) => {
	await page.goto('/');
	await page.getByRole('heading', { name: 'Sign in' }).waitFor();
});

scene('nothing of the conversation is shown before the token was given', LOCKED, async ({ page, service }) => {
	await service.say('the secret plan');
	await page.goto('/');
	await page.getByRole('heading', { name: 'Sign in' }).waitFor();
	assert.equal(await page.getByText('the secret plan').count(), 0);
});

scene('the right token opens the chat, live', LOCKED, async ({ page, chat }) => {
	await signIn(page, TOKEN);
	await chat.live();
	await chat.say('/workflow help');
	await chat.message('What you can say here').waitFor();
});

scene('a wrong token is said to be wrong', LOCKED, async ({ page }) => {
	await signIn(page, 'correct-donkey-battery-staple');
	await page.getByRole('alert').getByText('This is not the token of this service').waitFor();
});

scene('the token is typed unseen', LOCKED, async ({ page }) => {
	await page.goto('/');
	assert.equal(await page.getByLabel('Token').getAttribute('type'), 'password');
});

scene('who has signed in stays so over a reload', LOCKED, async ({ page, chat }) => {
	await signIn(page, TOKEN);
	await chat.live();
	await page.reload();
	await chat.live();
});

scene('scripts of the page cannot read what keeps a person signed in', LOCKED, async ({ page, chat }) => {
	await signIn(page, TOKEN);
	await chat.live();
	assert.equal(await page.evaluate(() => document.cookie + JSON.stringify({ ...localStorage, ...sessionStorage })).then((kept) => /session|horse/.test(kept)), false);
});

scene('who signs out has to sign in again', LOCKED, async ({ page, chat }) => {
	await signIn(page, TOKEN);
	await chat.live();
	await page.getByRole('button', { name: 'Sign out' }).click();
	await page.getByRole('heading', { name: 'Sign in' }).waitFor();
});

scene('an open page asks for the token when the session has ended', LOCKED, async ({ page, chat }) => {
	await signIn(page, TOKEN);
	await chat.list.getByText('Type a command, or drop a file').waitFor();
	await page.context().clearCookies();
	await chat.say('still there?');
	await page.getByRole('heading', { name: 'Sign in' }).waitFor();
});

scene('a service without a token lets everybody of this machine in', async ({ chat, page }) => {
	await chat.open();
	assert.equal(await page.getByRole('button', { name: 'Sign out' }).count(), 0);
});
