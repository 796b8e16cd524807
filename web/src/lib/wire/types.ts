/** The wire contract of the service, as the page uses it. Times are RFC 3339 in UTC. */

export type RunStatus =
	| 'queued'
	| 'running'
	| 'waiting'
	| 'pausing'
	| 'paused'
	| 'cancelling'
	| 'completed'
	| 'failed'
	| 'cancelled'
	| 'timed_out';

export type StepStatus =
	| 'pending'
	| 'running'
	| 'retrying'
	| 'waiting'
	| 'completed'
	| 'failed'
	| 'skipped'
	| 'cancelled';

export type Status = RunStatus | StepStatus;
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Values = { [key: string]: Json };

/** Why something failed, and what to do. */
export interface Fault {
	code: string;
	message: string;
	where?: string | null;
	cause?: string | null;
	fix?: string | null;
	class?: string;
}

/** A refusal of the service: `application/problem+json`. */
export interface Problem extends Fault {
	status: number;
	title?: string;
	request_id?: string;
	errors?: Fault[];
	/** With 409: the state that stood in the way. */
	current?: string;
}

export interface Session {
	name: string;
	door: 'page';
	authentication: 'none' | 'token';
	signed_in: boolean;
	version: string;
	language?: string | null;
}

export interface StepView {
	index: number;
	id: string;
	name: string;
	type: string;
	status: StepStatus;
	attempts: number;
	max_attempts: number;
	started_at?: string | null;
	duration?: number | null;
	due_at?: string | null;
	skipped?: string | null;
	outputs?: Values | null;
	warnings?: string[];
	error?: Fault | null;
	/** How far the items of a loop are. */
	items?: { total: number; done: number; failed: number; running: number } | null;
	/** The execution that the step began. */
	execution_id?: string | null;
}

/** What the run waits for people to decide. */
export interface Approval {
	step: string;
	title: string;
	approvers: string[];
	required: number;
	approved_by: string[];
	show: Values;
	since: string;
	until?: string | null;
}

export interface Question {
	key: string;
	label: string;
	type: string;
	choices?: Json[];
}

export interface Origin {
	door: string;
	name: string;
	channel?: string | null;
	/** The execution that began it. */
	began_by?: string | null;
	/** The execution whose effects it takes back. */
	rolls_back?: string | null;
}

export interface LogLine {
	at: string;
	text: string;
}

export interface RunView {
	/** The number of the last event that is in this view. */
	seq?: number;
	execution_id: string;
	workflow_id: string;
	workflow: string;
	name: string;
	status: RunStatus;
	current_step: number;
	total_steps: number;
	progress: number;
	created_at: string;
	started_at?: string | null;
	finished_at?: string | null;
	steps: StepView[];
	outputs: Values;
	warnings: string[];
	error?: Fault | null;
	questions?: Question[];
	asks_until?: string | null;
	approvals?: Approval[];
	/** Where it stands while it waits for its turn. */
	queue?: { position: number; group?: string | null; reason: string } | null;
	origin?: Origin;
	inputs?: Values;
	log?: LogLine[];
}

export interface ExecutionRow {
	execution_id: string;
	workflow_id: string;
	workflow: string;
	name: string;
	status: RunStatus;
	created_at: string;
	started_at?: string | null;
	finished_at?: string | null;
	duration?: number | null;
	current_step: number;
	total_steps: number;
	error?: { code: string; message: string } | null;
	origin?: Origin;
}

export interface History {
	executions: ExecutionRow[];
	next?: string | null;
}

export interface WorkflowView {
	id: string;
	name: string;
	slug: string;
	template?: string | null;
	status?: string;
	revision: string;
	created_at: string;
	last_execution?: ExecutionRow | null;
}

export interface TemplateInfo {
	id: string;
	name: string;
	description?: string | null;
	steps: number | { name: string; type: string }[];
	origin: string;
	errors?: (string | Fault)[] | number;
}

export interface InputView {
	name: string;
	type: string;
	required: boolean | string;
	default?: Json;
	label?: string | null;
	description?: string | null;
	choices?: Json[];
	sensitive?: boolean;
	accept?: string[] | string;
}

export interface PlanStep {
	index: number;
	id: string;
	name: string;
	type: string;
	/** Ids of what must be settled before: a list, or in words (`a, b`; `the start`). */
	after: string | string[];
	ports: string[];
	config: Json;
	effect: string;
	attempts: string;
	when?: string | null;
}

export interface WorkflowDetail {
	workflow: WorkflowView;
	definition: string;
	inputs: InputView[];
	steps: PlanStep[];
}

export interface PlanView {
	workflow: string;
	name: string;
	hash: string;
	inputs: string[];
	steps: PlanStep[];
}

export interface Started {
	execution_id: string;
	workflow_id: string;
	status: RunStatus;
	started_at: string;
	warnings: string[];
}

export interface FileInfo {
	file_id: string;
	name: string;
	size: number;
	type: string;
	sha256?: string;
}

export interface DocumentHit {
	document_id: string;
	name: string;
	score?: number;
	/** The best place of the text; found words stand between U+E000 and U+E001. Only in answers to a search. */
	snippet?: string;
	type?: string;
	size?: number;
	page?: number | null;
	language?: string | null;
	created_at: string;
	execution_id?: string | null;
}

export interface Channel {
	id: string;
	name: string;
	kind: 'channel' | 'direct';
	last_seq: number;
}

export interface CardLine {
	/** Its number, `3`, or the numbers that it folds, `1-12`. */
	number?: string;
	sign: string;
	/** The word for the state, as people say it (`done`); empty where there is none. */
	status: string;
	text: string;
	detail?: string | null;
}

export interface CardButton {
	label: string;
	action: string;
	style: 'plain' | 'primary' | 'danger';
	confirm?: string | null;
}

export interface CardField {
	key: string;
	label: string;
	type: 'text' | 'number' | 'boolean' | 'choice' | 'file';
	required: boolean;
	value?: Json;
	choices?: Json[];
	help?: string | null;
}

export interface Card {
	kind: 'run' | 'answer' | 'form' | 'list' | 'error' | 'offer' | 'message';
	title: string;
	verdict?: string | null;
	status?: Status | null;
	execution_id?: string | null;
	lines: CardLine[];
	fields: { name: string; value: string }[];
	buttons: CardButton[];
	form?: { title: string; submit: string; fields: CardField[] } | null;
	text: string;
	updated_at?: string | null;
}

export interface ChatMessage {
	id: string;
	/** The number of its newest version in the channel. */
	seq: number;
	/** The number of its first version: where it stands. */
	posted: number;
	channel: string;
	thread?: string | null;
	author: { name: string; kind: 'person' | 'workflow' };
	at: string;
	edited_at?: string | null;
	text: string;
	card?: Card | null;
	files: FileInfo[];
	visible_to?: string | null;
	client_id?: string | null;
}

/** What the WebSocket sends about one execution, numbered in one sequence; live progress has no number. */
export type RunFrame =
	| {
			type: 'workflow_progress';
			execution_id: string;
			seq?: number;
			at: string;
			step: number;
			name: string;
			status: StepStatus;
			result?: Json;
			/** What happened, for people. */
			text?: string;
	  }
	| { type: 'execution'; execution_id: string; seq: number; at: string; status: RunStatus; text?: string };

export type Frame =
	| RunFrame
	| { type: 'executions'; changed: ExecutionRow[] }
	| { type: 'message'; message: ChatMessage }
	| { type: 'resync'; topic?: unknown }
	| { type: 'error'; message: string; topic?: string }
	| { type: 'subscribed' | 'unsubscribed'; topic: string }
	| { type: 'pong' };
