/* Texts of others: what a server answers, or what somebody wrote into the store. They are shown on
 * terminals, in logs and in JSON. Pure, any thread. */
#ifndef RATINGS_CTL_PRINTABLE_H
#define RATINGS_CTL_PRINTABLE_H

/* Puts a ? in the place of each control character, and of each byte that is no UTF-8, as where a
 * text was cut within a character. */
void ctl_make_printable(char *text);

#endif
