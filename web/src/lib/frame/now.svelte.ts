/** The present, once a second, for whoever shows how long ago something was. Stands still while nobody looks. */
class Now {
	at = $state(Date.now());

	start() {
		const timer = setInterval(() => {
			if (document.visibilityState === 'visible') this.at = Date.now();
		}, 1000);
		return () => clearInterval(timer);
	}
}

export const now = new Now();
