import { look } from '$lib/frame/theme.svelte';
import { tongue } from '$lib/language/index.svelte';

export const ssr = false;
export const prerender = false;

export const load = async () => {
	look.begin();
	await tongue.begin();
};
