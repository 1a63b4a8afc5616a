/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Memory that runs out where a test wants it: the linker wraps what allocates. */
#ifndef XSK_TEST_FAILING_H
#define XSK_TEST_FAILING_H

#include <stdbool.h>

/* From now on the allocation of that number fails, which is the only one; 0: none. */
void fail_allocation(int number);
/* Whether it came to that one. */
bool allocation_failed(void);
/* What was allocated since and was not freed. */
int allocations_held(void);

#endif /* XSK_TEST_FAILING_H */
