/** What `look` gives, once it gives something; it is asked again and again, for ten seconds. */
export async function until(what, look, within = 10_000) {
	const end = Date.now() + within;
	for (;;) {
		const found = await look();
		if (found) return found;
		if (Date.now() > end) throw new Error(`waited ${within / 1000} s in vain until ${what}`);
		await new Promise((resolve) => setTimeout(resolve, 15));
	}
}
