/**
 * One WebSocket for the whole page. Who is interested subscribes to a topic and says how far it has come; after a break the
 * subscription goes on from there, so nothing is missed and nothing is asked for twice.
 */
import { untrack } from 'svelte';
import type { Frame } from './types';

export type Topic =
	| { kind: 'execution'; id: string }
	| { kind: 'executions' }
	| { kind: 'chat'; channel: string };

export interface Subscriber {
	topic: Topic;
	/** The highest number seen; asked at every (re)connection. */
	after: () => number;
	/** A frame of this topic. */
	frame: (frame: Frame) => void;
	/** Frames may have been missed and do not come again: ask for the present state. */
	resync: () => void;
}

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;
const PING_EVERY = 20_000;

class Live {
	/** `connecting` only before the first connection; afterwards a break is `lost`. */
	state: 'connecting' | 'live' | 'lost' = $state('connecting');
	/** When the next try is due, while `lost`; milliseconds since the epoch. */
	nextTry = $state(0);

	#socket: WebSocket | undefined;
	#subscribers = new Set<Subscriber>();
	#wait = FIRST_WAIT;
	#timer: ReturnType<typeof setTimeout> | undefined;
	#pings: ReturnType<typeof setInterval> | undefined;
	#answersPings = false;
	#heard = 0;
	#wanted = false;

	start() {
		if (this.#wanted) return;
		this.#wanted = true;
		addEventListener('online', this.retryNow);
		document.addEventListener('visibilitychange', this.#seen);
		this.#open();
	}

	stop() {
		this.#wanted = false;
		clearTimeout(this.#timer);
		removeEventListener('online', this.retryNow);
		document.removeEventListener('visibilitychange', this.#seen);
		this.#socket?.close();
	}

	retryNow = () => {
		if (!this.#wanted || this.#socket) return;
		clearTimeout(this.#timer);
		this.#open();
	};

	/** Returns how to unsubscribe. */
	subscribe(subscriber: Subscriber) {
		const alone = ![...this.#subscribers].some((other) => same(other.topic, subscriber.topic));
		this.#subscribers.add(subscriber);
		// A second listener of a topic may be further back than the first one: ask again from where it stands.
		this.#ask(subscriber, alone);
		return () => {
			this.#subscribers.delete(subscriber);
			if (![...this.#subscribers].some((other) => same(other.topic, subscriber.topic))) {
				this.#send({ unsubscribe: subscriber.topic.kind, ...rest(subscriber.topic) });
			}
		};
	}

	#ask(subscriber: Subscriber, alone = true) {
		if (!alone) this.#send({ unsubscribe: subscriber.topic.kind, ...rest(subscriber.topic) });
		const { topic } = subscriber;
		// Who subscribes within an effect is not to be called again with every frame that comes.
		const after = topic.kind === 'executions' ? {} : { after: untrack(subscriber.after) };
		this.#send({ subscribe: topic.kind, ...rest(topic), ...after });
	}

	#send(message: unknown) {
		if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
	}

	#open() {
		const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/events`);
		this.#socket = socket;
		socket.onopen = () => {
			const again = this.state === 'lost';
			this.state = 'live';
			this.#wait = FIRST_WAIT;
			this.#heard = Date.now();
			for (const subscriber of this.#subscribers) {
				this.#ask(subscriber);
				// The list of executions has no numbers: what changed meanwhile must be asked for.
				if (again && subscriber.topic.kind === 'executions') subscriber.resync();
			}
			clearInterval(this.#pings);
			this.#pings = setInterval(() => this.#ping(socket), PING_EVERY);
		};
		socket.onmessage = (event) => {
			this.#heard = Date.now();
			let frame: Frame;
			try {
				frame = JSON.parse(String(event.data)) as Frame;
			} catch {
				return;
			}
			this.#spread(frame);
		};
		socket.onclose = () => {
			clearInterval(this.#pings);
			if (this.#socket !== socket) return;
			this.#socket = undefined;
			if (!this.#wanted) return;
			this.state = 'lost';
			// Some chance, so that many pages do not come back in the same instant.
			const wait = this.#wait * (0.75 + Math.random() / 2);
			this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
			this.nextTry = Date.now() + wait;
			this.#timer = setTimeout(() => this.#open(), wait);
		};
	}

	#ping(socket: WebSocket) {
		// Half-open connections look alive for minutes. Only a server that has answered before is held to its answers.
		if (this.#answersPings && Date.now() - this.#heard > 2 * PING_EVERY + 5_000) socket.close();
		else this.#send({ ping: 1 });
	}

	#seen = () => {
		if (document.visibilityState === 'visible') this.retryNow();
	};

	#spread(frame: Frame) {
		if (frame.type === 'pong') {
			this.#answersPings = true;
			return;
		}
		for (const subscriber of [...this.#subscribers]) {
			if (frame.type === 'resync') {
				if (concerns(frame.topic, subscriber.topic)) subscriber.resync();
			} else if (belongs(frame, subscriber.topic)) {
				subscriber.frame(frame);
			}
		}
	}
}

function rest(topic: Topic) {
	if (topic.kind === 'execution') return { id: topic.id };
	if (topic.kind === 'chat') return { channel: topic.channel };
	return {};
}

const same = (one: Topic, other: Topic) => JSON.stringify(one) === JSON.stringify(other);

function belongs(frame: Frame, topic: Topic) {
	switch (frame.type) {
		case 'workflow_progress':
		case 'execution':
			return topic.kind === 'execution' && topic.id === frame.execution_id;
		case 'executions':
			return topic.kind === 'executions';
		case 'message':
			return topic.kind === 'chat' && topic.channel === frame.message.channel;
		default:
			return false;
	}
}

/** Whether a resync means this topic; when it does not say clearly which one, it means all. */
function concerns(named: unknown, topic: Topic) {
	const text = typeof named === 'string' ? named : JSON.stringify(named ?? '');
	if (text.includes('executions')) return topic.kind === 'executions';
	if (text.includes('execution')) return topic.kind === 'execution';
	if (text.includes('chat')) return topic.kind === 'chat';
	return true;
}

export const live = new Live();
