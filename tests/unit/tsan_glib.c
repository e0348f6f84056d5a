/* SPDX-License-Identifier: MIT */
/*
 * tsan_glib: shows GLib's locks to ThreadSanitizer.
 *
 * GLib's mutexes are futexes inside a library that is not instrumented: the sanitizer sees neither
 * the lock nor the order it makes, and reports every access as a race. These wrappers stand before
 * GLib's functions in symbol order, call them, and tell. Linked into tests built with
 * -Db_sanitize=thread only.
 */
#include <dlfcn.h>
#include <glib.h>

void __tsan_acquire(void *addr);
void __tsan_release(void *addr);

#define REAL(ret, name, ...)                                                                       \
    static ret (*real)(__VA_ARGS__);                                                               \
    if (!__atomic_load_n(&real, __ATOMIC_RELAXED))                                                 \
    __atomic_store_n(&real, (ret(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name), __ATOMIC_RELAXED)

#define LOCK(type, name)                                                                           \
    void name(type *lock)                                                                          \
    {                                                                                              \
        REAL(void, name, type *);                                                                  \
        real(lock);                                                                                \
        __tsan_acquire(lock);                                                                      \
    }

#define TRYLOCK(type, name)                                                                        \
    gboolean name(type *lock)                                                                      \
    {                                                                                              \
        REAL(gboolean, name, type *);                                                              \
        gboolean got = real(lock);                                                                 \
        if (got)                                                                                   \
            __tsan_acquire(lock);                                                                  \
        return got;                                                                                \
    }

#define UNLOCK(type, name)                                                                         \
    void name(type *lock)                                                                          \
    {                                                                                              \
        REAL(void, name, type *);                                                                  \
        __tsan_release(lock);                                                                      \
        real(lock);                                                                                \
    }

LOCK(GMutex, g_mutex_lock)
TRYLOCK(GMutex, g_mutex_trylock)
UNLOCK(GMutex, g_mutex_unlock)
LOCK(GRecMutex, g_rec_mutex_lock)
TRYLOCK(GRecMutex, g_rec_mutex_trylock)
UNLOCK(GRecMutex, g_rec_mutex_unlock)
LOCK(GRWLock, g_rw_lock_writer_lock)
TRYLOCK(GRWLock, g_rw_lock_writer_trylock)
UNLOCK(GRWLock, g_rw_lock_writer_unlock)
LOCK(GRWLock, g_rw_lock_reader_lock)
TRYLOCK(GRWLock, g_rw_lock_reader_trylock)
UNLOCK(GRWLock, g_rw_lock_reader_unlock)

void
g_cond_wait(GCond *cond, GMutex *mutex)
{
    REAL(void, g_cond_wait, GCond *, GMutex *);
    __tsan_release(mutex);
    real(cond, mutex);
    __tsan_acquire(mutex);
}

gboolean
g_cond_wait_until(GCond *cond, GMutex *mutex, gint64 end_time)
{
    REAL(gboolean, g_cond_wait_until, GCond *, GMutex *, gint64);
    __tsan_release(mutex);
    gboolean signalled = real(cond, mutex, end_time);
    __tsan_acquire(mutex);
    return signalled;
}
