/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "opts.h"

#include <errno.h>
#include <string.h>

#include "error.h"

int xsk_opts_read(void *known, size_t size, const void *opts, struct xsk_error *error)
{
	const unsigned char *bytes = opts;
	size_t sz;

	if (!opts)
		return 0;
	memcpy(&sz, opts, sizeof(sz));
	if (sz < sizeof(sz)) {
		xsk_error_set(error, -EINVAL, "opts", "sz is %zu, less than the field itself", sz);
		return xsk_error_hint(error, "set sz to the size of the struct");
	}
	for (size_t i = size; i < sz; i++) {
		if (!bytes[i])
			continue;
		xsk_error_set(error, -EINVAL, "opts", "byte %zu is set and means nothing to this "
			      "version (it knows %zu bytes, sz is %zu)", i, size, sz);
		return xsk_error_hint(error, "set sz to the size of the struct and the rest to 0; "
				      "or take the library of the header");
	}
	memcpy(known, opts, sz < size ? sz : size);
	return 0;
}

int xsk_opts_write(void *opts, const void *known, size_t size)
{
	size_t sz;

	memcpy(&sz, opts, sizeof(sz));
	if (sz <= sizeof(sz))
		return -EINVAL;
	/* Newer than we are: what we do not know is 0. */
	if (sz > size)
		memset((char *)opts + size, 0, sz - size);
	memcpy((char *)opts + sizeof(sz), (const char *)known + sizeof(sz),
	       (sz < size ? sz : size) - sizeof(sz));
	return 0;
}
