/** What a screen reader hears, politely: at most one sentence in two seconds, the newest one of each subject. */
const PAUSE = 2000;

class Speaker {
	text = $state('');
	#waiting = new Map<string, string>();
	#timer: ReturnType<typeof setTimeout> | undefined;

	say(text: string, subject = text) {
		this.#waiting.delete(subject);
		this.#waiting.set(subject, text);
		if (this.#waiting.size > 5) this.#waiting.delete(this.#waiting.keys().next().value!);
		if (!this.#timer) this.#next();
	}

	#next = () => {
		this.#timer = undefined;
		const first = this.#waiting.entries().next().value;
		if (!first) return;
		this.#waiting.delete(first[0]);
		// The same words again are heard only when they differ.
		this.text = first[1] === this.text ? `${first[1]}\u00a0` : first[1];
		this.#timer = setTimeout(this.#next, PAUSE);
	};
}

export const speaker = new Speaker();
