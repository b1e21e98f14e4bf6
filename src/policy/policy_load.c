/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy as a whole: the file, its top keys, its steps. What an SLO and an
 * action are is in files of their own.
 */
#include "policy/policy_load.h"

#include <stdlib.h>
#include <string.h>

#include "base/printable.h"
#include "base/xalloc.h"
#include "policy/load_slo.h"
#include "policy/override.h"
#include "policy/policy_freeze.h"

#define APPROVER_MAX 63 /* bytes of a person's name */
#define TAG_MAX      46 /* bytes */

/* ---- target ---- */

static const struct key target_keys[] = {
	{"project", &cloud_name_reader, offsetof(struct policy, project), ".:",
		.about = "Where the service is; --project takes precedence"},
	{"region", &cloud_name_reader, offsetof(struct policy, region), "",
		.about = "Where the service is; --region takes precedence"},
	{"service", &cloud_name_reader, offsetof(struct policy, service), "",
		.about = "Its name; the argument SERVICE takes precedence"},
	{0},
};

static const struct section target_section = {"target", target_keys,
	.def = "target", .about = "The service that is released"};

/* ---- steps ---- */

static void read_approvers(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct approval *approval = into;
	size_t n = list_len(loader, value, "approvers", POLICY_APPROVERS_MAX);
	const char *name;

	if (value->kind == NODE_SEQUENCE && !value->n)
		problem_at(loader, value,
			"no approvers: nobody could ever pass this gate");
	approval->approvers =
		arena_alloc(loader->arena, n * sizeof(*approval->approvers));
	for (const struct node *node = value->first; n && node;
		node = node->next) {
		name = plain_text(loader, node);
		if (!name)
			continue;
		if (strlen(name) > APPROVER_MAX)
			problem_at(loader, node,
				"a person's name has at most %d bytes",
				APPROVER_MAX);
		for (size_t i = 0; i < approval->n_approvers; i++)
			if (!strcmp(approval->approvers[i], name))
				problem_at(loader, node,
					"\"%s\" is named twice: one person "
					"approves once",
					name);
		approval->approvers[approval->n_approvers++] = name;
	}
}

static const struct reader approvers_reader = {read_approvers,
	"a list of people",
	"'type': 'array', 'minItems': 1, 'maxItems': 64, 'uniqueItems': true, "
	"'items': {" TEXT_SCHEMA ", 'minLength': 1, 'maxLength': 63}"};

static const struct whole_range minimum_range = {1, POLICY_APPROVERS_MAX};
static const struct duration_range wait_range = {MS_SECOND, 30 * MS_DAY};

static const struct key approval_keys[] = {
	{"approvers", &approvers_reader, .need = KEY_REQUIRED,
		.about = "Who may approve"},
	{"minimum", &whole_reader, offsetof(struct approval, minimum),
		&minimum_range, .value = "1",
		.about = "How many of them must approve"},
	{"timeout", &duration_reader, offsetof(struct approval, timeout_ms),
		&wait_range, .value = "4h",
		.about = "How long to wait; then the rollout is held"},
	{"self_approval", &bool_reader,
		offsetof(struct approval, self_approval), .value = "false",
		.about = "Whether who started the rollout may approve it"},
	{0},
};

static const struct section approval_section = {"approval", approval_keys,
	.def = "approval",
	.about = "Asked for before traffic moves to this step"};

static void read_approval(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct step *step = into;
	struct approval *approval =
		arena_alloc(loader->arena, sizeof(*approval));
	const struct node *minimum = node_get(value, "minimum");

	read_section(loader, value, &approval_section, approval);
	if (minimum && approval->n_approvers &&
		(size_t)approval->minimum > approval->n_approvers)
		problem_at(loader, minimum,
			"%d approvals of %zu approvers cannot be: name more, "
			"or lower the minimum",
			approval->minimum, approval->n_approvers);
	step->approval = approval;
}

static const struct reader approval_reader = {read_approval, "a mapping",
	.sections = (const struct section *const[]){&approval_section, NULL}};

static const struct whole_range percent_range = {0, 100};
static const struct duration_range bake_range = {0, 30 * MS_DAY};

static const struct key step_keys[] = {
	{"percent", &whole_reader, offsetof(struct step, percent),
		&percent_range, .need = KEY_REQUIRED,
		.about = "The candidate's share of the traffic"},
	{"bake", &duration_reader, offsetof(struct step, bake_ms), &bake_range,
		.need = KEY_REQUIRED,
		.about = "How long it must look good here, after settle"},
	{"approval", &approval_reader,
		.about = "People who agree before traffic moves here"},
	{"load", &step_load_reader,
		.about = "Made here; the bake begins a window after its end"},
	{0},
};

static const struct section step_section = {"a step", step_keys, .def = "step",
	.about = "One share of the traffic"};

static void check_percents(
	struct loader *loader, const struct node *list, size_t n)
{
	const struct step *steps = loader->policy->steps;
	const struct node *node = list->first, *percent = NULL;
	int before = -1;

	for (size_t i = 0; i < n; i++, node = node->next) {
		percent = node_get(node, "percent");
		if (!percent || steps[i].percent < 0)
			return; /* told already */
		if (steps[i].percent <= before)
			problem_at(loader, percent,
				"%d after %d: the percents of steps must rise",
				steps[i].percent, before);
		before = steps[i].percent;
	}
	if (percent && before != 100)
		problem_at(loader, percent,
			"the last step has %d percent: it must be 100, or the "
			"rollout would never end",
			before);
}

static void read_steps(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	size_t n = list_len(loader, value, "steps", POLICY_STEPS_MAX), i = 0;
	struct policy *policy = into;

	if (value->kind == NODE_SEQUENCE && !value->n)
		problem_at(loader, value,
			"no steps: add at least {percent: 100, bake: 10m}");
	policy->steps = arena_alloc(loader->arena, n * sizeof(*policy->steps));
	policy->n_steps = n;
	for (const struct node *node = value->first; node && i < n;
		node = node->next) {
		struct step *step = &policy->steps[i++];

		*step = (struct step){.percent = -1,
			.bake_ms = -1,
			.pos = node_pos(loader, node)};
		read_section(loader, node, &step_section, step);
	}
	if (n)
		check_percents(loader, value, n);
}

static const struct reader steps_reader = {read_steps, "a list of steps",
	.sections = (const struct section *const[]){&step_section, NULL},
	.list_min = 1, .list_max = POLICY_STEPS_MAX};

/* ---- the policy ---- */

static void read_policy_version(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	const char *text = plain_text(loader, value);

	if (text && strcmp(text, "1") != 0)
		problem_at(loader, value,
			"version \"%.20s\" is not known to this tidegate: it "
			"reads version 1",
			text);
}

static const struct reader version_reader = {
	read_policy_version, "1", "'const': 1"};

static void read_tag(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	const char *text = plain_text(loader, value);
	struct policy *policy = into;

	if (!text)
		return;
	if (!(*text >= 'a' && *text <= 'z') || strlen(text) > TAG_MAX ||
		text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-")] ||
		text[strlen(text) - 1] == '-')
		problem_at(loader, value,
			"\"%.80s\" is not a tag: write lower case letters, "
			"digits and \"-\", a letter first, at most %d",
			text, TAG_MAX);
	else
		policy->tag = text;
}

static const struct reader tag_reader = {read_tag, "a tag",
	"'type': 'string', 'pattern': '^[a-z]([a-z0-9-]*[a-z0-9])?$', "
	"'maxLength': 46"};

static const struct choice breach_choices[] = {
	{"rollback", ON_BREACH_ROLLBACK},
	{"hold", ON_BREACH_HOLD},
	{"observe", ON_BREACH_OBSERVE},
	{0},
};
static const struct choice undecided_choices[] = {
	{"hold", ON_UNDECIDED_HOLD},
	{"rollback", ON_UNDECIDED_ROLLBACK},
	{0},
};
static const struct choice pace_choices[] = {
	{"fixed", PACE_FIXED},
	{"evidence", PACE_EVIDENCE},
	{0},
};
static const struct choice drift_choices[] = {
	{"stop", ON_DRIFT_STOP},
	{"reassert", ON_DRIFT_REASSERT},
	{0},
};
static const struct choice interrupt_choices[] = {
	{"rollback", ON_INTERRUPT_ROLLBACK},
	{"leave", ON_INTERRUPT_LEAVE},
	{0},
};
static const struct choice finish_choices[] = {
	{"as-found", FINISH_AS_FOUND},
	{"pinned", FINISH_PINNED},
	{"latest", FINISH_LATEST},
	{0},
};
static const struct duration_range settle_range = {0, 6 * MS_HOUR};

#define LIST(list) offsetof(struct policy, lists[list])
#define MEMBER(m)  offsetof(struct policy, m)

static const struct key hooks_keys[] = {
	{"started", &actions_reader, LIST(LIST_STARTED),
		.about = "When the candidate gets its first traffic"},
	{"step_passed", &actions_reader, LIST(LIST_STEP_PASSED),
		.about = "When a step is left upwards"},
	{"promoted", &actions_reader, LIST(LIST_PROMOTED),
		.about = "When the candidate has taken over"},
	{"rolled_back", &actions_reader, LIST(LIST_ROLLED_BACK),
		.about = "After a rollback, also one that failed"},
	{"stopped", &actions_reader, LIST(LIST_STOPPED),
		.about = "When nothing is done any more, the traffic as it is"},
	{0},
};

static const struct section hooks_section = {"hooks", hooks_keys,
	.def = "hooks", .about = "Actions at points of a rollout's life"};

static const struct reader hooks_reader = {read_nested, "a mapping",
	.sections = (const struct section *const[]){&hooks_section, NULL}};
static const struct reader target_reader = {read_nested, "a mapping",
	.sections = (const struct section *const[]){&target_section, NULL}};

static const struct reader evidence_reader = {read_nested, "a mapping",
	.sections = (const struct section *const[]){&evidence_section, NULL}};

static const struct key gameday_keys[] = {
	{"allow", &bool_reader, MEMBER(gameday_allowed), .value = "false",
		.about = "Whether a bad revision may be released on purpose"},
	{0},
};

static const struct section gameday_section = {"gameday", gameday_keys,
	.def = "gameday", .about = "Proving that a rollback works"};

static const struct reader gameday_reader = {read_nested, "a mapping",
	.sections = (const struct section *const[]){&gameday_section, NULL}};

static const struct key policy_keys[] = {
	{"version", &version_reader, .need = KEY_REQUIRED,
		.about = "Of the format"},
	{"name", &name_reader, MEMBER(name), .need = KEY_REQUIRED,
		.about = "What the policy is called in messages"},
	{"use", NULL},
	{"target", &target_reader, .about = "Where the service is"},
	{"metrics", &metrics_reader,
		.about = "What SLOs with a query are asked of"},
	{"steps", &steps_reader, .need = KEY_REQUIRED,
		.about = "In order: percents rise, the last one is 100"},
	{"slos", &slos_reader, .need = KEY_REQUIRED,
		.about = "What has to look good"},
	{"pace", &choice_reader, MEMBER(pace), pace_choices, .value = "fixed",
		.about = "When a step is left: after its bake, or on evidence"},
	{"evidence", &evidence_reader, MEMBER(evidence), .value = "{}",
		.about = "What SLOs of kind evidence share"},
	{"settle", &duration_reader, MEMBER(settle_ms), &settle_range,
		.value = "30s",
		.about = "How long checks do not count after a split serves"},
	{"on_breach", &choice_reader, MEMBER(on_breach), breach_choices,
		.value = "rollback",
		.about = "What to do when an SLO has failed"},
	{"on_undecided", &choice_reader, MEMBER(on_undecided),
		undecided_choices, .value = "hold",
		.about = "When the bake is over and evidence is missing"},
	{"hold_timeout", &duration_reader, MEMBER(hold_timeout_ms), &wait_range,
		.value = "30m",
		.about = "A hold that is not resolved becomes a rollback"},
	{"revert_timeout", &duration_reader, MEMBER(revert_timeout_ms),
		&wait_range, .value = "10m",
		.about = "How long a revert is tried again"},
	{"on_drift", &choice_reader, MEMBER(on_drift), drift_choices,
		.value = "stop",
		.about = "When the traffic is not what was last set"},
	{"on_interrupt", &choice_reader, MEMBER(on_interrupt),
		interrupt_choices, .value = "rollback",
		.about = "On SIGINT or SIGTERM"},
	{"tag", &tag_reader,
		.about = "Traffic tag that gives the candidate its own URL"},
	{"finish", &choice_reader, MEMBER(finish), finish_choices,
		.value = "as-found",
		.about = "How the service is left after a promotion"},
	{"freeze", &freeze_reader, MEMBER(freeze),
		.about = "When nothing is started and no step goes forward"},
	{"preflight", &actions_reader, LIST(LIST_PREFLIGHT),
		.about = "Before any traffic; a failure refuses the rollout"},
	{"hooks", &hooks_reader, .about = "At points of a rollout's life"},
	{"gameday", &gameday_reader,
		.about = "Of `tidegate gameday`; never in production"},
	{"rollback", &actions_reader, LIST(LIST_ROLLBACK),
		.about = "After a revert, in this order"},
	{"health", &actions_reader, LIST(LIST_HEALTH),
		.about = "After the sequence; a failure: rollback-failed"},
	{0},
};

const struct section policy_section = {"a policy", policy_keys, .def = "policy",
	.about = "How a release gets its traffic"};

/* ---- loading ---- */

static const char *policy_folder(struct arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return ".";
	return slash == path
		       ? "/"
		       : arena_strndup(arena, path, (size_t)(slash - path));
}

static struct policy *policy_new(
	const char *path, const char *bytes, size_t len)
{
	struct policy *policy = xcalloc(1, sizeof(*policy));

	arena_init(&policy->arena);
	policy->path = arena_strdup(&policy->arena, path);
	policy->folder = policy_folder(&policy->arena, path);
	policy->source = xmemdup0(bytes, len);
	policy->source_len = len;
	return policy;
}

/* Of a file's own texts and secrets. */
static struct policy *parse(const char *path, const char *bytes, size_t len,
	const struct policy_env *env, const struct document_kind *kind,
	void *into, struct buf *problems, struct err *err_r)
{
	struct policy *policy = policy_new(path, bytes, len);
	struct loader loader = {.policy = policy,
		.arena = &policy->arena,
		.env = env,
		.problems = {.arena = &policy->arena,
			.path = policy->path,
			.source = policy->source,
			.source_len = len}};
	struct node *root = yaml_parse(loader.arena, &loader.problems);

	loader.root = root;
	if (root) {
		use_names(loader.arena, root);
		override_apply(loader.arena, &loader.problems, root, env);
		loader.warnings = loader.problems; /* --set is in the source */
		loader.warnings.n = loader.warnings.dropped = 0;
		read_section(&loader, loader.root, kind->section,
			into ? into : policy);
		kind->check(&loader, into);
	}
	if (!loader.problems.n) {
		policy->n_warnings =
			loader.warnings.n + loader.warnings.dropped;
		problems_print(&loader.warnings, "warning", problems);
		return policy;
	}
	problems_print(&loader.problems, "error", problems);
	problems_summary(&loader.problems, err_r);
	/* Its place names a file: the caller's text outlives the policy's. */
	if (err_r->pos.file == policy->path)
		err_r->pos.file = path;
	policy_free(&policy);
	return NULL;
}

struct policy *document_parse(const char *path, const char *bytes, size_t len,
	const struct policy_env *env, const struct document_kind *kind,
	void *into, struct buf *problems, struct err *err_r)
{
	if (len <= POLICY_BYTES_MAX)
		return parse(
			path, bytes, len, env, kind, into, problems, err_r);
	err_set(err_r, ERR_POLICY, "%s: larger than 1 MiB, which %s never is",
		path, kind->section->what);
	printable_add(problems, err_r->text);
	buf_addc(problems, '\n');
	return NULL;
}

static void check_policy(struct loader *loader, void *into)
{
	(void)into;
	check_metrics(loader);
	check_slos(loader);
	check_policy_evidence(loader);
	check_actions(loader);
}

struct policy *policy_parse(const char *path, const char *bytes, size_t len,
	const struct policy_env *env, struct buf *problems, struct err *err_r)
{
	static const struct document_kind kind = {
		&policy_section, check_policy};

	return document_parse(
		path, bytes, len, env, &kind, NULL, problems, err_r);
}
