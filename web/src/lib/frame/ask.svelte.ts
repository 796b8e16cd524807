/** One question at a time: `await confirm({...})`. The dialog itself is part of the frame. */
export interface Asked {
	title: string;
	text: string;
	confirm: string;
	cancel?: string;
	danger?: boolean;
}

class Question {
	open: Asked | undefined = $state.raw();
	#answer: ((yes: boolean) => void) | undefined;

	ask(asked: Asked): Promise<boolean> {
		this.#answer?.(false);
		this.open = asked;
		return new Promise((resolve) => (this.#answer = resolve));
	}

	answer(yes: boolean) {
		this.open = undefined;
		this.#answer?.(yes);
		this.#answer = undefined;
	}
}

export const question = new Question();
export const confirm = (asked: Asked) => question.ask(asked);
