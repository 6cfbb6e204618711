"""The entries of a folder, listed ahead by a thread or by the caller itself."""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.errno cimport ENOENT, ENOMEM, errno
from libc.stddef cimport size_t
from libc.stdint cimport int32_t, uint8_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memcpy, strcmp, strlen
from posix.stat cimport S_ISDIR, S_ISLNK, S_ISREG, stat, struct_stat

import os

from midiopt.core.memory cimport reserve
from midiopt.sources.thread_pool cimport Job, ThreadPool, cancel, finish, is_done, submit, wait_count

cdef enum:
    MAX_NAME_BYTES = 64 << 20  # of one part of a folder
    MAX_AHEAD_BYTES = 256 << 10  # of a folder that is listed ahead; a larger one is listed again when its turn comes

cdef enum Kind:  # of an entry
    FILE
    FOLDER
    BROKEN  # a link that cannot be followed, or an entry whose type the system does not tell

cdef extern from "<dirent.h>" nogil:
    ctypedef struct DIR:
        pass
    struct dirent:
        uint8_t d_type
        char d_name[256]
    int DT_UNKNOWN, DT_REG, DT_DIR, DT_LNK
    DIR *opendir(const char *)
    dirent *readdir(DIR *)
    int closedir(DIR *)
    int dirfd(DIR *)

cdef extern from "<errno.h>" nogil:
    """
    static inline void midiopt_clear_errno(void) { errno = 0; }
    """
    void clear_errno "midiopt_clear_errno"()

cdef extern from "<fcntl.h>" nogil:
    int AT_SYMLINK_NOFOLLOW

cdef extern from "<sys/stat.h>" nogil:
    int fstatat(int, const char *, struct_stat *, int)

# Precedes the name of an entry, which ends with NUL.
cdef struct Entry:
    int32_t kind
    int32_t error  # errno of a BROKEN entry
    size_t length

# A folder that is being listed. One thread at a time uses it.
cdef struct Folder:
    const char *path
    bint follow_links
    DIR *handle  # NULL before the first entry and after the last one
    uint8_t *names  # entries
    size_t capacity
    size_t used
    size_t count
    size_t links  # left out
    size_t max_count
    size_t max_bytes
    bint is_ahead
    bint at_end
    int error
    uint64_t device
    uint64_t inode
    bint waited


cdef void list_entries(void *argument) noexcept nogil:
    """List the next part of a folder, up to its limits."""
    cdef Folder *folder = <Folder *>argument
    cdef long waits = wait_count()
    cdef struct_stat info
    cdef dirent *found
    if folder.handle == NULL:
        if folder.follow_links:
            if stat(folder.path, &info):
                end_listing(folder, errno)
                return
            folder.device = info.st_dev
            folder.inode = info.st_ino
        folder.handle = opendir(folder.path)
        if folder.handle == NULL:
            end_listing(folder, errno)
            return
    while folder.count < folder.max_count and folder.used < folder.max_bytes:
        clear_errno()  # what readdir leaves at the end
        found = readdir(folder.handle)
        if found == NULL:
            end_listing(folder, errno)
            break
        if strcmp(found.d_name, b".") and strcmp(found.d_name, b"..") and not add_entry(folder, found):
            end_listing(folder, ENOMEM)
            break
    if folder.is_ahead and not folder.at_end:
        closedir(folder.handle)
        folder.handle = NULL
    folder.waited = wait_count() != waits


cdef void end_listing(Folder *folder, int error) noexcept nogil:
    """No more entries: the end, or an error."""
    if folder.handle:
        closedir(folder.handle)
    folder.handle = NULL
    folder.at_end = True
    folder.error = error


cdef bint add_entry(Folder *folder, const dirent *found) noexcept nogil:
    """Append an entry unless it is of no use; False when there is no memory."""
    cdef Entry entry
    cdef struct_stat info
    cdef size_t end
    entry.error = 0
    if found.d_type == DT_REG:
        entry.kind = FILE
    elif found.d_type == DT_DIR:
        entry.kind = FOLDER
    elif found.d_type == DT_UNKNOWN or (found.d_type == DT_LNK and folder.follow_links):
        if fstatat(dirfd(folder.handle), found.d_name, &info, 0 if folder.follow_links else AT_SYMLINK_NOFOLLOW):
            if errno == ENOENT and not folder.follow_links:
                return True  # it has just been deleted
            entry.kind = BROKEN
            entry.error = errno
        elif S_ISLNK(info.st_mode):
            folder.links += 1
            return True
        elif S_ISREG(info.st_mode):
            entry.kind = FILE
        elif S_ISDIR(info.st_mode):
            entry.kind = FOLDER
        else:
            return True
    else:
        folder.links += found.d_type == DT_LNK
        return True
    entry.length = strlen(found.d_name)
    end = folder.used + sizeof(Entry) + entry.length
    if reserve(<void **>&folder.names, &folder.capacity, end, 1, MAX_NAME_BYTES + MAX_AHEAD_BYTES, True):
        return False
    memcpy(folder.names + folder.used, &entry, sizeof(Entry))
    memcpy(folder.names + folder.used + sizeof(Entry), found.d_name, entry.length)
    folder.used = end
    folder.count += 1
    return True


@cython.final
@cython.no_gc_clear
cdef class Listing:
    """Lists the folder ``path``, which ends with a slash, in parts.

    What is neither a file nor a folder is left out, and links are too, unless ``follow_links``.
    """

    cdef readonly bytes path
    cdef ThreadPool threads  # of a job that was started
    cdef Folder folder
    cdef Job job
    cdef list folders

    def __cinit__(self, bytes path not None, bint follow_links):
        self.path = path
        self.folder.path = PyBytes_AS_STRING(path)
        self.folder.follow_links = follow_links
        self.job.work = list_entries
        self.job.argument = &self.folder

    def __dealloc__(self):
        if self.threads is not None:
            cancel(self.threads.pool, &self.job)
        end_listing(&self.folder, 0)
        free(self.folder.names)

    def start(self, ThreadPool threads not None):
        """Let a thread list the first part ahead."""
        self.threads = threads
        self.folder.max_count = self.folder.max_bytes = MAX_AHEAD_BYTES
        self.folder.is_ahead = True
        submit(threads.pool, &self.job)

    def folders_so_far(self):
        """Sorted paths of the folders in the first part, if it was listed ahead and that has ended; otherwise none."""
        if self.folders is None:
            if self.threads is None or not is_done(self.threads.pool, &self.job):
                return []
            self.folders = sorted(self.entries()[1])
        return self.folders

    def take(self, size_t max_count):
        """The next part: at most ``max_count`` entries, as paths of files, of folders, and pairs of path and errno."""
        cdef bint waited = False
        if self.threads is not None:
            with nogil:
                finish(self.threads.pool, &self.job)
            self.threads = None
            waited = self.folder.waited
            self.folder.is_ahead = False
        if not self.folder.at_end:
            self.folder.used = self.folder.count = self.folder.links = 0
            self.folder.max_count = max_count
            self.folder.max_bytes = MAX_NAME_BYTES
            with nogil:
                list_entries(&self.folder)
            self.folder.waited |= waited
        return self.entries()

    cdef tuple entries(self):
        cdef size_t at = 0
        cdef list files = [], folders = [], broken = []
        cdef Entry entry
        cdef bytes path
        while at < self.folder.used:
            memcpy(&entry, self.folder.names + at, sizeof(Entry))
            path = self.join(self.folder.names + at + sizeof(Entry), entry.length, entry.kind == FOLDER)
            at += sizeof(Entry) + entry.length
            if entry.kind == FILE:
                files.append(path)
            elif entry.kind == FOLDER:
                folders.append(path)
            else:
                broken.append((path, entry.error))
        return files, folders, broken

    cdef bytes join(self, const uint8_t *name, size_t length, bint is_folder):
        """The path of an entry; that of a folder ends with a slash."""
        cdef Py_ssize_t own = len(self.path)
        cdef bytes path = PyBytes_FromStringAndSize(NULL, own + length + is_folder)
        cdef char *to = PyBytes_AS_STRING(path)
        memcpy(to, self.folder.path, own)
        memcpy(to + own, name, length)
        if is_folder:
            to[own + length] = b"/"
        return path

    @property
    def at_end(self):
        """Whether the part that take() returned was the last one."""
        return self.folder.at_end

    @property
    def links(self):
        """The number of symbolic links that take() has left out."""
        return self.folder.links

    @property
    def error(self):
        """Why the folder cannot be read, or no further; None if it can."""
        return os.strerror(self.folder.error) if self.folder.error else None

    @property
    def identity(self):
        """Device and inode, if links are followed and the folder exists; otherwise None."""
        return (self.folder.device, self.folder.inode) if self.folder.inode else None

    @property
    def waited(self):
        """Whether listing the last part made its thread wait, as a network does."""
        return self.folder.waited
