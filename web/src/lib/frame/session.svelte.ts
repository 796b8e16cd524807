import { tongue } from '$lib/language/index.svelte';
import { api, onSignedOut } from '$lib/wire/client';
import { live } from '$lib/wire/live.svelte';
import type { Channel, Session } from '$lib/wire/types';

/** Who looks at the page, and whether they may. */
class Visitor {
	session: Session | undefined = $state.raw();
	problem: unknown = $state.raw();
	channels: Channel[] = $state.raw([]);
	/** Channels in which something was said that has not been looked at. */
	unread: ReadonlySet<string> = $state.raw(new Set());

	/** Whether the page may be shown. */
	get welcome() {
		return this.session !== undefined && (this.session.authentication === 'none' || this.session.signed_in);
	}

	constructor() {
		onSignedOut(() => {
			if (this.session) this.session = { ...this.session, authentication: 'token', signed_in: false };
		});
	}

	async begin() {
		try {
			this.session = await api.session();
			this.problem = undefined;
			await tongue.suggest(this.session.language);
			if (!this.welcome) return;
			live.start();
			this.channels = (await api.channels()).channels;
		} catch (error) {
			this.problem = error;
		}
	}

	async signOut() {
		await api.signOut();
		live.stop();
		location.reload();
	}

	news(channel: string) {
		if (!this.unread.has(channel)) this.unread = new Set([...this.unread, channel]);
	}

	looked(channel: string) {
		if (this.unread.has(channel)) this.unread = new Set([...this.unread].filter((other) => other !== channel));
	}
}

export const visitor = new Visitor();
