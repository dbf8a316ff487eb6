/* store/auto_id.h - ids for documents that come without one. */
#ifndef BLIP_STORE_AUTO_ID_H
#define BLIP_STORE_AUTO_ID_H

#define AUTO_ID_SIZE 20

/* Writes 20 letters, digits, - and _ that no other call of any process writes. Not terminated.
 * Safe from any thread. */
void auto_id_make(char out[AUTO_ID_SIZE]);

#endif
