/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "load.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "kernel.h"
#include "sys.h"

/* What the verifier says of a program that it refuses. */
#define LOG_SIZE (256 * 1024)
#define LOG_LEVEL 4			/* not each instruction (5.2) */

/* ---- what may be missing ---- */

/* To load: CAP_SYS_ADMIN does for both, as before there was CAP_BPF (5.8). */
const char *xsk_load_missing(void)
{
	bool bpf = xsk_sys_capable(CAP_BPF), net = xsk_sys_capable(CAP_NET_ADMIN);

	/* Before 6.9 (seen: 6.1) an XSKMAP wants CAP_NET_ADMIN itself. */
	bpf = bpf || xsk_sys_capable(CAP_SYS_ADMIN);
	return bpf ? net ? NULL : "CAP_NET_ADMIN" : net ? "CAP_BPF" : "CAP_BPF and CAP_NET_ADMIN";
}

int xsk_load_explain_eperm(struct xsk_error *error, const char *step, const char *missing)
{
	if (!missing) {
		xsk_error_set(error, -EPERM, step, "the kernel refuses it, though no capability "
			      "is missing");
		return xsk_error_hint(error, "before Linux 5.11: raise RLIMIT_MEMLOCK; else look "
				      "for a security module, or a user namespace");
	}
	xsk_error_set(error, -EPERM, step, "no %s", missing);
	return xsk_error_hint(error, "run as root; or attach the program elsewhere, and open with "
			      "XSK_PORT_MAP_FD (a port) or XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD");
}

/* ---- maps ---- */

int xsk_load_map(uint32_t queues, struct xsk_error *error)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_XSKMAP, XSK_MAP_NAME, sizeof(uint32_t),
				sizeof(uint32_t), queues, NULL);

	if (fd == -EPERM)
		return xsk_load_explain_eperm(error, "XSKMAP", xsk_load_missing());
	return fd < 0 ? xsk_error_system(error, fd, "XSKMAP") : fd;
}

int xsk_load_counters(struct xsk_error *error)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, XSK_COUNTERS_NAME, sizeof(uint32_t),
				XSK_COUNTERS * sizeof(uint64_t), 1, NULL);

	if (fd == -EPERM)
		return xsk_load_explain_eperm(error, "counters", xsk_load_missing());
	return fd < 0 ? xsk_error_system(error, fd, "counters") : fd;
}

/* ---- a program ---- */

/* One way in which code can be loaded. */
struct attempt {
	struct bpf_insn *insns;
	size_t count;
	const char *name;
	uint32_t flags;
	char *log;			/* LOG_SIZE of it, or NULL */
};

/*
 * The verifier gives up when a signal is pending (-EAGAIN), and libbpf tries only
 * five times: not enough for a program with a fast timer.
 */
static int load_insns(const struct attempt *attempt)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = attempt->flags,
		    .log_level = attempt->log ? LOG_LEVEL : 0, .log_buf = attempt->log,
		    .log_size = attempt->log ? LOG_SIZE : 0);
	sigset_t before;
	int fd;

	xsk_sys_block_signals(&before);
	fd = bpf_prog_load(BPF_PROG_TYPE_XDP, attempt->name, "BSD-2-Clause", attempt->insns,
			   attempt->count, &opts);
	xsk_sys_restore_signals(&before);
	return fd;
}

static struct bpf_insn *with_maps(const struct bpf_insn *insns, size_t count,
				  int map_fd, int counters_fd)
{
	struct bpf_insn *copy = malloc(count * sizeof(*copy));

	if (!copy)
		return NULL;
	memcpy(copy, insns, count * sizeof(*copy));
	for (size_t i = 0; i < count; i++)
		if (xsk_insn_is_map(&copy[i]))
			copy[i].imm = copy[i].imm ? counters_fd : map_fd;
	return copy;
}

/* Of the verifier: the last line before its statistics. Writes into the log. */
static const char *last_words(char *log)
{
	char *end = strncmp(log, "processed ", 10) ? strstr(log, "\nprocessed ") : log, *line;

	if (end)
		*end = '\0';
	for (size_t len = strlen(log); len && log[len - 1] == '\n'; len--)
		log[len - 1] = '\0';
	line = strrchr(log, '\n');
	line = line ? line + 1 : log;
	return *line ? line : "it does not say why";
}

/* With a mind to Spectre, kernels let few load at a computed place. */
static bool lacks_perfmon(int err)
{
	return err == -EACCES && !xsk_sys_capable(CAP_PERFMON) && !xsk_sys_capable(CAP_SYS_ADMIN);
}

static bool jumps_backward(const struct attempt *attempt)
{
	for (size_t i = 0; i < attempt->count; i++)
		if (attempt->insns[i].code == (BPF_JMP | BPF_JA) && attempt->insns[i].off < 0)
			return true;
	return false;
}

static int explain_verifier(int err, const struct xsk_code *code, struct attempt *attempt,
			    struct xsk_error *error)
{
	bool same;
	int fd;

	if (!code->filters)
		return xsk_error_system(error, err, "load");
	/* -EFAULT: it has more branches than the verifier keeps in mind, 8192. */
	if (err == -E2BIG || err == -EFAULT) {
		err = -E2BIG;
		xsk_error_set(error, err, "load", "the kernel's verifier gives up on the filter: "
			      "its program of %zu instructions has too many ways through it",
			      attempt->count);
		return xsk_error_hint(error, jumps_backward(attempt) ?
				      "take fewer protochains: each goes through all headers" :
				      "take networks and port ranges rather than lists");
	}
	if (lacks_perfmon(err))
		return xsk_load_explain_eperm(error, "load", "CAP_PERFMON, which filters need that "
					      "load at a computed place, as behind IPv4's header");
	attempt->log = calloc(1, LOG_SIZE);
	fd = attempt->log ? load_insns(attempt) : -ENOMEM;
	xsk_sys_close(fd);		/* where it is taken now */
	same = attempt->log && fd == err;
	xsk_error_set(error, err, "load", "the kernel's verifier refuses the filter: %s",
		      same ? last_words(attempt->log) : "it does not say why");
	free(attempt->log);
	attempt->log = NULL;
	return xsk_error_hint(error, "xsk_filter_dump() writes what is worth a report");
}

static int load_attempt(const struct xsk_code *code, struct attempt *attempt,
			struct xsk_error *error)
{
	int fd = -EINVAL;

	if (!attempt->insns)
		return xsk_error_system(error, -ENOMEM, "load");
	/* Frags, for an MTU above a page in native mode, are known from 5.18 on. */
	attempt->flags = BPF_F_XDP_HAS_FRAGS;
	if (!code->no_frags)
		fd = load_insns(attempt);
	if (fd == -EINVAL) {
		attempt->flags = 0;
		fd = load_insns(attempt);
	}
	if (fd == -EPERM)
		return xsk_load_explain_eperm(error, "load", xsk_load_missing());
	return fd < 0 ? explain_verifier(fd, code, attempt, error) : fd;
}

int xsk_load_code(const struct xsk_code *code, int map_fd, int counters_fd,
		  struct xsk_error *error)
{
	struct attempt attempt = {
		.insns = with_maps(code->insns, code->count, map_fd, counters_fd),
		.count = code->count,
		.name = code->filters ? XSK_FILTER_NAME : XSK_DEFAULT_NAME,
	};
	int fd;

	fd = load_attempt(code, &attempt, error);
	free(attempt.insns);
	if (fd != -EINVAL || !code->older)
		return fd;
	attempt.insns = with_maps(code->older, code->older_count, map_fd, counters_fd);
	attempt.count = code->older_count;
	fd = load_attempt(code, &attempt, error);
	free(attempt.insns);
	return fd;
}

int xsk_load_nothing(uint32_t flags)
{
	struct bpf_insn insns[] = { xsk_insn_mov_imm(BPF_REG_0, XDP_PASS), xsk_insn_exit() };
	const struct attempt attempt = {
		.insns = insns,
		.count = sizeof(insns) / sizeof(insns[0]),
		.name = "libxsk_probe",
		.flags = flags,
	};

	return load_insns(&attempt);
}
