/** Short notices at the foot of the page. Refusals stay until they are closed; good news goes by itself. */
export interface Notice {
	id: number;
	text?: string;
	error?: unknown;
}

class Notices {
	all: Notice[] = $state.raw([]);
	#next = 1;

	tell(text: string) {
		const id = this.#add({ text });
		setTimeout(() => this.close(id), 4000);
	}

	refused(error: unknown) {
		this.#add({ error });
	}

	close(id: number) {
		this.all = this.all.filter((notice) => notice.id !== id);
	}

	#add(notice: Omit<Notice, 'id'>) {
		const id = this.#next++;
		this.all = [...this.all.slice(-3), { id, ...notice }];
		return id;
	}
}

export const notices = new Notices();
