/* Included before all of a source: the layout of a module that is to come. */
#include "../../../src/shm/layout.h"

#undef RATINGS_SHM_LAYOUT
#define RATINGS_SHM_LAYOUT 1000000
