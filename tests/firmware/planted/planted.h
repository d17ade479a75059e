/* planted.h: functions with a fault in them, linked in the place of the firmware's (--wrap). They lie in
 * the part of ITCM that the loader needs and the firmware leaves alone. */
#ifndef SPINDLE_PLANTED_H
#define SPINDLE_PLANTED_H

#include "hal.h"

#define PLANTED __attribute__((section(".planted")))

#endif
