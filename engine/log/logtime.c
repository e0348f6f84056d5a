/* SPDX-License-Identifier: MIT */
/* logtime: LOGTIME to and from Unix time, by calendar arithmetic that does not depend on a zone. */
#include "log/logtime.h"

#include <time.h>

#include "base/bytes.h"

/* Days since 1970-01-01 of a proleptic Gregorian date; y may be any year. */
static int64_t
days_from_civil(int64_t y, unsigned m, unsigned d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    unsigned yoe = (unsigned)(y - era * 400);
    unsigned doy = (153 * (m + (m > 2 ? -3u : 9u)) + 2) / 5 + d - 1;
    unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + (int64_t)doe - 719468;
}

uint64_t
logtime_from_unix_ms(int64_t ms)
{
    time_t t = (time_t)(ms / 1000);
    unsigned milli = (unsigned)(ms % 1000);
    struct tm tm;
    gmtime_r(&t, &tm);
    uint8_t b[8] = {(uint8_t)tm.tm_sec,
                    (uint8_t)tm.tm_min,
                    (uint8_t)tm.tm_hour,
                    (uint8_t)tm.tm_mday,
                    (uint8_t)(tm.tm_mon + 1),
                    (uint8_t)tm.tm_year,
                    (uint8_t)(1 | (milli & 0x7f) << 1),
                    (uint8_t)((milli >> 7) << 1)};
    return le64_get(b);
}

int64_t
logtime_to_unix_ms(uint64_t logtime)
{
    uint8_t b[8];
    le64_put(b, logtime);
    if (logtime == 0 || b[4] < 1 || b[4] > 12 || b[3] < 1 || b[3] > 31)
        return 0;
    int64_t s = days_from_civil(1900 + b[5], b[4], b[3]) * 86400 + b[2] * 3600 + b[1] * 60 + b[0];
    return s * 1000 + ((b[6] >> 1) | ((b[7] >> 1 & 7) << 7));
}

uint64_t
logtime_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return logtime_from_unix_ms((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}
