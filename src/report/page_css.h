/* SPDX-License-Identifier: Apache-2.0 */
/* The one style sheet, beside chart_css; for page.c. */
#ifndef TIDEGATE_REPORT_PAGE_CSS_H
#define TIDEGATE_REPORT_PAGE_CSS_H

extern const char page_css[];

#endif
