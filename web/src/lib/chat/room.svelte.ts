/**
 * One channel: its messages, live and without gap, and what the person sends. A message keeps its `client_id` through every
 * attempt, so that one that arrived although the answer was lost is not said twice.
 */
import { t } from '$lib/language/index.svelte';
import { isOver, meant } from '$lib/parts/tone';
import { speaker } from '$lib/frame/speaker.svelte';
import { api, Refused, upload } from '$lib/wire/client';
import { live } from '$lib/wire/live.svelte';
import type { ChatMessage, FileInfo, Frame, Values } from '$lib/wire/types';
import { highest, merge } from './merge';
import { unique } from './unique';

export const MOST_FILES = 20;

export interface Attachment {
	key: string;
	name: string;
	size: number;
	share: number;
	info?: FileInfo;
	problem?: unknown;
	stop: AbortController;
}

export interface Outgoing {
	client_id: string;
	text: string;
	files: FileInfo[];
	thread?: string;
	state: 'sending' | 'failed';
	problem?: unknown;
}

export class Room {
	messages: ChatMessage[] = $state.raw([]);
	outgoing: Outgoing[] = $state.raw([]);
	attached: Attachment[] = $state.raw([]);
	loaded = $state(false);
	loadingOlder = $state(false);
	next: string | number | null = $state(null);
	problem: unknown = $state.raw();

	#seen = 0;
	#stop: (() => void) | undefined;

	constructor(
		readonly channel: string,
		readonly me: string,
	) {}

	/** Loads the newest page and goes on from there. Returns how to leave. */
	enter() {
		void this.reload();
		return () => {
			this.#stop?.();
			for (const attachment of this.attached) attachment.stop.abort();
		};
	}

	reload = async () => {
		try {
			const page = await api.messages(this.channel);
			if (!this.loaded) this.next = page.next ?? null;
			this.#take(page.messages);
			this.loaded = true;
			this.problem = undefined;
			this.#stop ??= live.subscribe({
				topic: { kind: 'chat', channel: this.channel },
				after: () => this.#seen,
				frame: this.#frame,
				resync: () => void this.#again(),
			});
		} catch (error) {
			this.problem = error;
		}
	};

	/** The server could not keep all that happened: the newest page replaces what is shown. */
	async #again() {
		try {
			const page = await api.messages(this.channel);
			const overlap = page.messages.some(({ id }) => this.messages.some((message) => message.id === id));
			if (!overlap) {
				this.messages = [];
				this.next = page.next ?? null;
			}
			this.#take(page.messages);
		} catch {
			// The next resync or reload tries again.
		}
	}

	older = async () => {
		if (this.loadingOlder || this.next === null) return;
		this.loadingOlder = true;
		try {
			const page = await api.messages(this.channel, this.next);
			this.messages = merge(this.messages, page.messages);
			this.next = page.next ?? null;
		} catch (error) {
			this.problem = error;
		} finally {
			this.loadingOlder = false;
		}
	};

	#frame = (frame: Frame) => {
		if (frame.type !== 'message') return;
		const before = this.messages.find(({ id }) => id === frame.message.id);
		this.#take([frame.message], this.next !== null);
		this.#announce(frame.message, before);
	};

	#take(messages: ChatMessage[], more = false) {
		this.#seen = highest(messages, this.#seen);
		this.messages = merge(this.messages, messages, more);
		const arrived = new Set(messages.map(({ client_id }) => client_id).filter(Boolean));
		if (this.outgoing.some(({ client_id }) => arrived.has(client_id))) {
			this.outgoing = this.outgoing.filter(({ client_id }) => !arrived.has(client_id));
		}
	}

	#announce(message: ChatMessage, before: ChatMessage | undefined) {
		if (message.author.kind === 'person' && message.author.name === this.me) return;
		const { card } = message;
		if (!before) {
			const text = card ? `${card.title}. ${card.verdict ?? ''}` : message.text;
			speaker.say(t().chat.said(message.author.name, text.slice(0, 300)), message.id);
			return;
		}
		if (!card) return;
		const ended = card.lines.flatMap((line, index) => {
			const status = meant(line.status);
			return status && isOver(status) && line.status !== before.card?.lines[index]?.status ? t().run.ended(line.text, t().status[status]) : [];
		});
		if (card.status && isOver(card.status) && card.status !== before.card?.status) {
			speaker.say(`${card.title}: ${card.verdict ?? t().status[card.status]}`, message.id);
		} else if (ended.length) {
			speaker.say(ended.join('. '), message.id);
		}
	}

	/** Puts a message on its way. What has been attached goes with it. */
	async send(text: string, thread?: string) {
		const files = this.attached.flatMap(({ info }) => info ?? []);
		this.attached = [];
		const message: Outgoing = { client_id: unique(), text, files, thread, state: 'sending' };
		this.outgoing = [...this.outgoing, message];
		await this.#post(message.client_id);
	}

	again = (client_id: string) => void this.#post(client_id);

	discard = (client_id: string) => {
		this.outgoing = this.outgoing.filter((message) => message.client_id !== client_id);
	};

	/** After a break of the connection: what failed because nobody answered goes out again, with the same id. */
	resendLost() {
		for (const { client_id, state, problem } of this.outgoing) {
			if (state === 'failed' && problem instanceof Refused && problem.unreachable) void this.#post(client_id);
		}
	}

	async #post(client_id: string) {
		const message = this.outgoing.find((candidate) => candidate.client_id === client_id);
		if (!message) return;
		this.#change(client_id, { state: 'sending', problem: undefined });
		try {
			await api.send(this.channel, {
				client_id,
				text: message.text,
				files: message.files.map(({ file_id }) => file_id),
				...(message.thread ? { thread: message.thread } : {}),
			});
			// The message itself comes with the channel's events; after a break, with what was missed.
		} catch (error) {
			this.#change(client_id, { state: 'failed', problem: error });
		}
	}

	#change(client_id: string, change: Partial<Outgoing>) {
		this.outgoing = this.outgoing.map((message) => (message.client_id === client_id ? { ...message, ...change } : message));
	}

	act = (message: ChatMessage, action: string, values?: Values) => api.act(this.channel, message.id, action, values);

	/** Uploads at once, so that sending does not wait for it. Returns the names that were too many. */
	attach(files: Iterable<File>): number {
		let beyond = 0;
		for (const file of files) {
			if (this.attached.length >= MOST_FILES) {
				beyond += 1;
				continue;
			}
			const attachment: Attachment = { key: unique(), name: file.name, size: file.size, share: 0, stop: new AbortController() };
			this.attached = [...this.attached, attachment];
			const change = (more: Partial<Attachment>) => {
				this.attached = this.attached.map((other) => (other.key === attachment.key ? { ...other, ...more } : other));
			};
			upload(file, (share) => change({ share }), attachment.stop.signal).then(
				(info) => change({ info, share: 1 }),
				(problem: unknown) => change({ problem }),
			);
		}
		return beyond;
	}

	detach = (key: string) => {
		this.attached.find((attachment) => attachment.key === key)?.stop.abort();
		this.attached = this.attached.filter((attachment) => attachment.key !== key);
	};
}
