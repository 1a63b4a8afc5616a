/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Preloaded into a program of others, before the library under test: writes down
 * who served each of its calls. To the file named in XSK_WITNESS goes a line
 *
 *	FUNCTION  OBJECT  RESULT
 *
 * at once for each call, in one write, so that the lines are there however the
 * program ends. Of the two functions that only tell a descriptor, which DPDK calls
 * once per burst of packets, the first call is written down.
 *
 * The definitions here have no version, and so serve references to any; the search
 * goes on behind this object with the version that programs ask libxdp for.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>
#include <xdp/xsk.h>

static void *serving(const char *name, const char *version)
{
	void *function = dlvsym(RTLD_NEXT, name, version);
	void *libxdp;

	/* What came with a driver by dlopen() is behind nobody: it has to be asked for. */
	if (!function) {
		libxdp = dlopen("libxdp.so.1", RTLD_NOW | RTLD_NOLOAD);
		function = libxdp ? dlvsym(libxdp, name, version) : NULL;
	}
	if (!function) {
		fprintf(stderr, "witness: nobody has %s@%s\n", name, version);
		abort();
	}
	return function;
}

static void note(const char *name, void *function, long result)
{
	const char *path = getenv("XSK_WITNESS");
	int fd, len, saved = errno;
	char line[4352];
	Dl_info object;

	if (!path || !dladdr(function, &object))
		return;
	len = snprintf(line, sizeof(line), "%s %s %ld\n", name, object.dli_fname, result);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, line, (size_t)len) != len)
		perror("witness");
	if (fd >= 0)
		close(fd);
	errno = saved;
}

/* Pointers of the two functions that return one are errors at the top of the range. */
static long pointer_result(const void *pointer)
{
	return (unsigned long)pointer >= -4095UL ? (long)pointer : 0;
}

#define FIND(name, version) __typeof__(&name) call = serving(#name, version)

#define NOTE_RESULT(name, version, parameters, arguments)	\
	int name parameters					\
	{							\
		FIND(name, version);				\
		int result = call arguments;			\
								\
		note(#name, call, result);			\
		return result;					\
	}

#define NOTE_POINTER(type, name, version, parameters, arguments)	\
	type *name parameters						\
	{								\
		FIND(name, version);					\
		type *result = call arguments;				\
									\
		note(#name, call, pointer_result(result));		\
		return result;						\
	}

/* Two threads that both find no function yet find the same one. */
#define NOTE_FIRST(name, version, parameters, arguments)				\
	int name parameters								\
	{										\
		static __typeof__(&name) known;						\
		__typeof__(&name) call = __atomic_load_n(&known, __ATOMIC_RELAXED);	\
											\
		if (!call) {								\
			call = serving(#name, version);					\
			__atomic_store_n(&known, call, __ATOMIC_RELAXED);		\
			note(#name, call, 0);						\
		}									\
		return call arguments;							\
	}

NOTE_RESULT(xsk_umem__create, "LIBXDP_1.2.0",
	    (struct xsk_umem **umem, void *area, __u64 size, struct xsk_ring_prod *fill,
	     struct xsk_ring_cons *comp, const struct xsk_umem_config *config),
	    (umem, area, size, fill, comp, config))
NOTE_RESULT(xsk_umem__create_with_fd, "LIBXDP_1.4.0",
	    (struct xsk_umem **umem, int fd, void *area, __u64 size, struct xsk_ring_prod *fill,
	     struct xsk_ring_cons *comp, const struct xsk_umem_config *config),
	    (umem, fd, area, size, fill, comp, config))
NOTE_POINTER(struct xsk_umem, xsk_umem__create_opts, "LIBXDP_1.5.0",
	     (void *area, struct xsk_ring_prod *fill, struct xsk_ring_cons *comp,
	      struct xsk_umem_opts *opts),
	     (area, fill, comp, opts))
NOTE_RESULT(xsk_umem__delete, "LIBXDP_1.2.0", (struct xsk_umem *umem), (umem))
NOTE_FIRST(xsk_umem__fd, "LIBXDP_1.2.0", (const struct xsk_umem *umem), (umem))

NOTE_RESULT(xsk_socket__create, "LIBXDP_1.2.0",
	    (struct xsk_socket **xsk, const char *ifname, __u32 queue_id, struct xsk_umem *umem,
	     struct xsk_ring_cons *rx, struct xsk_ring_prod *tx,
	     const struct xsk_socket_config *config),
	    (xsk, ifname, queue_id, umem, rx, tx, config))
NOTE_RESULT(xsk_socket__create_shared, "LIBXDP_1.2.0",
	    (struct xsk_socket **xsk, const char *ifname, __u32 queue_id, struct xsk_umem *umem,
	     struct xsk_ring_cons *rx, struct xsk_ring_prod *tx, struct xsk_ring_prod *fill,
	     struct xsk_ring_cons *comp, const struct xsk_socket_config *config),
	    (xsk, ifname, queue_id, umem, rx, tx, fill, comp, config))
NOTE_POINTER(struct xsk_socket, xsk_socket__create_opts, "LIBXDP_1.5.0",
	     (const char *ifname, __u32 queue_id, struct xsk_umem *umem,
	      struct xsk_socket_opts *opts),
	     (ifname, queue_id, umem, opts))
NOTE_FIRST(xsk_socket__fd, "LIBXDP_1.2.0", (const struct xsk_socket *xsk), (xsk))
NOTE_RESULT(xsk_socket__update_xskmap, "LIBXDP_1.2.0", (struct xsk_socket *xsk, int fd), (xsk, fd))
NOTE_RESULT(xsk_setup_xdp_prog, "LIBXDP_1.2.0", (int ifindex, int *fd), (ifindex, fd))

void xsk_socket__delete(struct xsk_socket *xsk)
{
	FIND(xsk_socket__delete, "LIBXDP_1.2.0");

	call(xsk);
	note("xsk_socket__delete", call, 0);
}

/*
 * Knot asks for unlimited locked memory, as it would have to before Linux 5.11, and
 * ends where it does not get it. A container without CAP_SYS_RESOURCE refuses; what
 * the kernel charges is let through anyway, by CAP_IPC_LOCK.
 */
int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
	int (*call)(__rlimit_resource_t, const struct rlimit *) = dlsym(RTLD_NEXT, "setrlimit");
	int err = call(resource, limit);

	if (err && resource == RLIMIT_MEMLOCK && errno == EPERM)
		return 0;
	return err;
}
