/* QR codes as pictures. libqrencode, which this file alone uses, makes the code. One thread. */
#ifndef RATINGS_CTL_QR_H
#define RATINGS_CTL_QR_H

#include "audit_failure.h"

/* With what each picture begins, and by which it is known as one of this program's. */
extern const char ctl_qr_head[];

/* The code of a text, which is UTF-8 without control characters, as an SVG: black on white, error
 * correction M (it is read with 15% of it covered), and four modules of margin as ISO/IEC 18004
 * wants them. The text is its title. The caller frees it. NULL: the text is too long for a code
 * (2331 bytes), or memory ran out. */
char *ctl_qr_svg(const char *text, audit_failure_t *why);

#endif
