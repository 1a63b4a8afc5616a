/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * All of libxsk's own interface. <xdp/xsk.h> is the inherited one; a program may
 * use both, on different queues.
 */
#ifndef XSK_XSK_H
#define XSK_XSK_H

#include <xsk/error.h>
#include <xsk/filter.h>
#include <xsk/frame.h>
#include <xsk/port.h>
#include <xsk/probe.h>

#endif /* XSK_XSK_H */
