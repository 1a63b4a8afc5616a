/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#ifndef TEST_FILTER_EXPRESSIONS_H
#define TEST_FILTER_EXPRESSIONS_H

/* Of every primitive of pcap-filter(7) that Ethernet has; NULL is behind the last. */
extern const char *const filter_expressions[];

#endif /* TEST_FILTER_EXPRESSIONS_H */
