import type { Status } from '$lib/wire/types';

/** The six families of states; each has a colour and a shape of its own, so that neither is needed alone. */
export type Tone = 'idle' | 'run' | 'wait' | 'good' | 'bad' | 'off';

const TONES: Record<Status, Tone> = {
	queued: 'idle',
	pending: 'idle',
	running: 'run',
	cancelling: 'run',
	pausing: 'wait',
	waiting: 'wait',
	paused: 'wait',
	retrying: 'wait',
	completed: 'good',
	failed: 'bad',
	timed_out: 'bad',
	cancelled: 'off',
	skipped: 'off',
};

export const tone = (status: Status): Tone => TONES[status] ?? 'idle';

const FINAL: readonly Status[] = ['completed', 'failed', 'cancelled', 'timed_out'];
/** Whether an execution in this state is over. */
export const isOver = (status: Status) => FINAL.includes(status);

/** The state that a card's word means. Cards speak to people: `done` is what the wire calls `completed`. */
export const meant = (word: string): Status | undefined =>
	word === 'done' ? 'completed' : word in TONES ? (word as Status) : undefined;
