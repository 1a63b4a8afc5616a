/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "kernel.h"

int xsk_sys_socket(int family, int type, int protocol)
{
	int fd = socket(family, type | SOCK_CLOEXEC, protocol);

	return fd < 0 ? -errno : fd;
}

int xsk_sys_bind(int fd, const void *addr, socklen_t len)
{
	return bind(fd, addr, len) ? -errno : 0;
}

int xsk_sys_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	return setsockopt(fd, level, name, value, len) ? -errno : 0;
}

int xsk_sys_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	return getsockopt(fd, level, name, value, len) ? -errno : 0;
}

int xsk_sys_kick(int fd)
{
	return sendto(fd, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 ? -errno : 0;
}

int xsk_sys_receive(int fd)
{
	return recvfrom(fd, NULL, 0, MSG_DONTWAIT, NULL, NULL) < 0 ? -errno : 0;
}

int xsk_sys_poll(struct pollfd *fds, unsigned int n, int timeout_ms)
{
	int ready = poll(fds, n, timeout_ms);

	return ready < 0 ? -errno : ready;
}

static int map(void **ret, int fd, uint64_t offset, size_t len, int flags)
{
	void *addr = mmap(NULL, len, PROT_READ | PROT_WRITE, flags, fd, (off_t)offset);

	if (addr == MAP_FAILED)
		return -errno;
	*ret = addr;
	return 0;
}

int xsk_sys_mmap(void **ret, int fd, uint64_t offset, size_t len)
{
	return map(ret, fd, offset, len, MAP_SHARED | MAP_POPULATE);
}

int xsk_sys_mmap_anonymous(void **ret, size_t len)
{
	return map(ret, -1, 0, len, MAP_PRIVATE | MAP_ANONYMOUS);
}

int xsk_sys_mmap_over(void *addr, int fd, uint64_t offset, size_t len)
{
	void *other = NULL;
	int err;

	/* Elsewhere first: a MAP_FIXED that fails leaves a hole. */
	err = xsk_sys_mmap(&other, fd, offset, len);
	if (err)
		return err;
	if (mremap(other, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, addr) == MAP_FAILED) {
		err = -errno;
		munmap(other, len);
	}
	return err;
}

void xsk_sys_munmap(void *addr, size_t len)
{
	munmap(addr, len);
}

void xsk_sys_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

int xsk_sys_dup(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	return copy < 0 ? -errno : copy;
}

void xsk_sys_close_on_exec(int fd)
{
	fcntl(fd, F_SETFD, FD_CLOEXEC);
}

int xsk_sys_inode(int fd, uint64_t *ret)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	*ret = st.st_ino;
	return 0;
}

int xsk_sys_replace(int from, int to)
{
	return dup3(from, to, O_CLOEXEC) < 0 ? -errno : 0;
}

bool xsk_sys_capable(int capability)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data))
		return false;
	return data[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability);
}

uint32_t xsk_sys_uid(void)
{
	return geteuid();
}

int xsk_sys_memlock(uint64_t *soft, uint64_t *hard)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit))
		return -errno;
	*soft = limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : limit.rlim_cur;
	*hard = limit.rlim_max == RLIM_INFINITY ? UINT64_MAX : limit.rlim_max;
	return 0;
}

int xsk_sys_initial_userns(void)
{
	static const char initial[] = "user:[4026531837]";	/* PROC_USER_INIT_INO */
	char target[64];
	ssize_t len = readlink("/proc/self/ns/user", target, sizeof(target));

	if (len < 0)
		return -ENOENT;
	return (size_t)len == strlen(initial) && !memcmp(target, initial, (size_t)len);
}

void xsk_sys_release(char *text, size_t size)
{
	struct utsname name;

	uname(&name);
	snprintf(text, size, "%s", name.release);
}

int xsk_sys_read_number(const char *path, uint64_t *ret)
{
	int fd = xsk_sys_open(AT_FDCWD, path, O_RDONLY), err;
	char text[32], *end;
	uint64_t number;

	if (fd < 0)
		return fd;
	err = xsk_sys_read_text(fd, text, sizeof(text));
	xsk_sys_close(fd);
	if (err < 0)
		return err;
	number = strtoull(text, &end, 10);
	if (end == text)
		return -EPROTO;
	*ret = number;
	return 0;
}

size_t xsk_sys_page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

int xsk_sys_possible_cpus(void)
{
	/* Ranges, as "0-3": the last number is the highest, and no lower than their count. */
	int fd = xsk_sys_open(AT_FDCWD, "/sys/devices/system/cpu/possible", O_RDONLY), err;
	char text[256], *last;

	if (fd < 0)
		return fd;
	err = xsk_sys_read_text(fd, text, sizeof(text));
	xsk_sys_close(fd);
	if (err < 0)
		return err;
	last = strpbrk(text, "-,");
	for (char *next = last; next; next = strpbrk(last, "-,"))
		last = next + 1;
	return atoi(last ? last : text) + 1;
}

/* Fills the rest of the request, which is an ioctl's of a socket. */
static int ask_interface(struct ifreq *request, unsigned long what, const char *ifname)
{
	int fd, err;

	if (strlen(ifname) >= sizeof(request->ifr_name))
		return -ENODEV;
	fd = xsk_sys_socket(AF_UNIX, SOCK_DGRAM, 0);
	if (fd < 0)
		return fd;
	strcpy(request->ifr_name, ifname);
	err = ioctl(fd, what, request) ? -errno : 0;
	xsk_sys_close(fd);
	return err;
}

/* Not if_nametoindex(): it hides why it could not ask. */
int xsk_sys_ifindex(const char *ifname)
{
	struct ifreq request = { 0 };
	int err = ask_interface(&request, SIOCGIFINDEX, ifname);

	return err ? err : request.ifr_ifindex;
}

int xsk_sys_address(const char *ifname, uint8_t address[XSK_SYS_ADDRESS_SIZE])
{
	struct ifreq request = { 0 };
	int err = ask_interface(&request, SIOCGIFHWADDR, ifname);

	if (!err)
		memcpy(address, request.ifr_hwaddr.sa_data, XSK_SYS_ADDRESS_SIZE);
	return err;
}

int xsk_sys_netns_of(int fd, uint64_t *ret)
{
	socklen_t len = sizeof(*ret);

	return xsk_sys_getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, ret, &len);
}

int xsk_sys_netns(uint64_t *ret)
{
	int fd = xsk_sys_socket(AF_UNIX, SOCK_DGRAM, 0);
	struct stat st;
	int err;

	if (fd < 0)
		return fd;
	err = xsk_sys_netns_of(fd, ret);
	xsk_sys_close(fd);
	if (err != -ENOPROTOOPT)
		return err;

	/* Before 5.14 sockets do not tell; the thread's files do. */
	if (stat("/proc/thread-self/ns/net", &st))
		return -errno;
	*ret = st.st_ino;
	return 0;
}

int xsk_sys_open(int dir, const char *path, int flags)
{
	int fd = openat(dir, path, flags | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : fd;
}

int xsk_sys_mkdir(const char *path)
{
	return mkdir(path, 0700) ? -errno : 0;
}

int xsk_sys_lock(int fd, int operation)
{
	return flock(fd, operation | LOCK_NB) ? -errno : 0;
}

int xsk_sys_read_text(int fd, char *text, size_t size)
{
	ssize_t len = pread(fd, text, size - 1, 0);

	if (len < 0)
		return -errno;
	text[len] = '\0';
	return (int)len;
}

int xsk_sys_write_text(int fd, const char *text)
{
	ssize_t len = pwrite(fd, text, strlen(text), 0);

	if (len < 0)
		return -errno;
	return (size_t)len == strlen(text) ? 0 : -ENOSPC;
}

int xsk_sys_truncate(int fd, size_t len)
{
	return ftruncate(fd, (off_t)len) ? -errno : 0;
}

int xsk_sys_unlink(int dir, const char *name, int fd)
{
	struct stat mine, there;

	if (fstat(fd, &mine) || fstatat(dir, name, &there, AT_SYMLINK_NOFOLLOW))
		return -errno;
	if (mine.st_dev != there.st_dev || mine.st_ino != there.st_ino)
		return -ESTALE;
	return unlinkat(dir, name, 0) ? -errno : 0;
}

void xsk_sys_block_signals(sigset_t *before)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, before);
}

void xsk_sys_restore_signals(const sigset_t *before)
{
	pthread_sigmask(SIG_SETMASK, before, NULL);
}

uint64_t xsk_sys_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Some milliseconds behind, and cheap. */
uint64_t xsk_sys_coarse_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t xsk_sys_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

int xsk_sys_sleep_us(unsigned int us)
{
	struct timespec rest = { .tv_nsec = us * 1000L };

	return -clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, NULL);
}

void xsk_sys_sleep_ms(unsigned int ms)
{
	struct timespec rest = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	/* A signal cuts it short: who waits looks at the clock anyway. */
	clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, NULL);
}
