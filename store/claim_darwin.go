package store

// setLock is F_OFD_SETLK of <sys/fcntl.h>, which the package unix does not have.
const setLock = 90
