/* SPDX-License-Identifier: MIT */
/* fuzz_status: any text is refused or is a status whose members can be used. */
#include <string.h>

#include "fuzz.h"
#include "status.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct status_summary summary;
    g_autofree char *text = g_strndup((const char *)data, len);
    if (!status_parse(text, &summary))
        return 0;
    FUZZ_HOLDS(summary.state != NULL && summary.root != NULL);
    (void)status_is_leased(&summary);
    g_autofree char *again = status_with_result(&summary, EXIT_DRIVER_DIED, "it died");
    FUZZ_HOLDS(again != NULL);
    status_summary_clear(&summary);
    return 0;
}

bool
fuzz_seed(unsigned i, GByteArray *out)
{
    static const char *const seeds[] = {
        "{\"version\": 1, \"state\": \"running\", \"result\": {\"name\": \"running\", \"exit\": 7,"
        " \"code\": 0, \"error\": \"JET_errSuccess\", \"text\": \"\"}, \"source\": \"/a\","
        " \"mountpoint\": \"/b\", \"status_file\": \"/c\", \"lease\": true, \"driver\":"
        " {\"pid\": 1, \"start_ticks\": 5}, \"files\": [{\"name\": \"x\", \"size\": 4}],"
        " \"last_complete\": {\"signature\": \"00\", \"logs\": [{\"generation\": 1}]}}",
        "{\"state\": {}, \"result\": [], \"driver\": 3}",
        "[[{}]]",
    };
    if (i >= G_N_ELEMENTS(seeds))
        return false;
    g_byte_array_append(out, (const uint8_t *)seeds[i], (guint)strlen(seeds[i]));
    return true;
}
