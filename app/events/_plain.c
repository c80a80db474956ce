/* Read what is plain in a line: the quick half of logfmt.py and times.py.
 *
 * What is not plain is left to Python, which reads anything: each function here returns
 * what its other half returns, or says that it cannot tell.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#if PY_VERSION_HEX < 0x030C0000
#define IS_NOT_READY(text) (PyUnicode_READY(text) < 0)
#else
#define IS_NOT_READY(text) 0
#endif

enum { NOT_PLAIN = 0, DONE = 1, FAILED = -1 };

/* -- Keys: a set of the keys that are needed ---------------------------------------- *
 *
 * A look-up by three characters decides whether a pair is made into objects or skipped.
 */

typedef struct {
    PyObject_HEAD
    PyObject *names;  /* tuple of str: keeps them alive */
    PyObject **slots; /* open addressing: borrowed from names, or NULL */
    size_t mask;      /* number of slots, a power of two, less one */
} Keys;

static inline size_t
slot_of(Py_ssize_t length, Py_UCS4 first, Py_UCS4 last, Py_UCS4 middle)
{
    return (size_t)length * 31 + first * 7 + last * 13 + middle * 101;
}

static inline Py_UCS4
at(int kind, const void *data, Py_ssize_t i)
{
    return PyUnicode_READ(kind, data, i);
}

static inline int
is_equal(PyObject *name, int kind, const void *data, Py_ssize_t begin, Py_ssize_t length)
{
    if (PyUnicode_GET_LENGTH(name) != length) {
        return 0;
    }
    const Py_UCS1 *told = PyUnicode_1BYTE_DATA(name);
    if (kind == PyUnicode_1BYTE_KIND) {
        return memcmp(told, (const Py_UCS1 *)data + begin, (size_t)length) == 0;
    }
    for (Py_ssize_t i = 0; i < length; i++) {
        if (told[i] != at(kind, data, begin + i)) {
            return 0;
        }
    }
    return 1;
}

/* Return the key that stands at *begin*, borrowed, or NULL when it is not needed. */
static inline PyObject *
find_key(const Keys *keys, int kind, const void *data, Py_ssize_t begin, Py_ssize_t length)
{
    size_t slot = slot_of(length, at(kind, data, begin), at(kind, data, begin + length - 1),
                          at(kind, data, begin + length / 2));
    PyObject *name;
    while ((name = keys->slots[slot & keys->mask]) != NULL) {
        if (is_equal(name, kind, data, begin, length)) {
            return name;
        }
        slot++;
    }
    return NULL;
}

static PyObject *
Keys_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *iterable, *names;
    if (kwargs && PyDict_GET_SIZE(kwargs)) {
        PyErr_SetString(PyExc_TypeError, "Keys takes no keyword arguments");
        return NULL;
    }
    if (!PyArg_ParseTuple(args, "O:Keys", &iterable)
        || (names = PySequence_Tuple(iterable)) == NULL) {
        return NULL;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(names);
    Keys *self = (Keys *)type->tp_alloc(type, 0);
    if (self == NULL) {
        Py_DECREF(names);
        return NULL;
    }
    self->names = names;
    for (self->mask = 7; self->mask < (size_t)count * 4; self->mask = self->mask * 2 + 1) {
    }
    self->slots = PyMem_Calloc(self->mask + 1, sizeof(PyObject *));
    if (self->slots == NULL) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *name = PyTuple_GET_ITEM(names, i);
        if (!PyUnicode_Check(name) || !PyUnicode_IS_ASCII(name)
            || PyUnicode_GET_LENGTH(name) == 0) {
            PyErr_SetString(PyExc_ValueError, "a key is text of ASCII, and not empty");
            Py_DECREF(self);
            return NULL;
        }
        Py_ssize_t length = PyUnicode_GET_LENGTH(name);
        const Py_UCS1 *data = PyUnicode_1BYTE_DATA(name);
        if (find_key(self, PyUnicode_1BYTE_KIND, data, 0, length) != NULL) {
            continue;
        }
        size_t slot = slot_of(length, data[0], data[length - 1], data[length / 2]);
        while (self->slots[slot & self->mask] != NULL) {
            slot++;
        }
        self->slots[slot & self->mask] = name;
    }
    return (PyObject *)self;
}

static void
Keys_dealloc(Keys *self)
{
    Py_XDECREF(self->names);
    PyMem_Free(self->slots);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyTypeObject KeysType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "app.events._plain.Keys",
    .tp_doc = "Keys(names): the keys that are needed, each of ASCII.",
    .tp_basicsize = sizeof(Keys),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = Keys_new,
    .tp_dealloc = (destructor)Keys_dealloc,
};

/* -- scan: the pairs of logfmt --------------------------------------------------------- *
 *
 * Not plain are an escape, a key without a value or set twice, two blanks in a row, and
 * whatever is no logfmt.
 */

/* Put a pair into *fields*: NOT_PLAIN when its key is there already. */
static int
keep(PyObject *fields, PyObject *key, PyObject *text, Py_ssize_t begin, Py_ssize_t end)
{
    Py_ssize_t before = PyDict_GET_SIZE(fields);
    PyObject *value = PyUnicode_Substring(text, begin, end);
    if (value == NULL) {
        return FAILED;
    }
    int failed = PyDict_SetItem(fields, key, value);
    Py_DECREF(value);
    if (failed) {
        return FAILED;
    }
    return PyDict_GET_SIZE(fields) > before ? DONE : NOT_PLAIN;
}

/* Return where *c* stands first in [i, end), or end. */
static inline Py_ssize_t
find(int kind, const void *data, Py_UCS1 c, Py_ssize_t i, Py_ssize_t end)
{
    if (kind == PyUnicode_1BYTE_KIND) {
        const Py_UCS1 *begin = data;
        const Py_UCS1 *found = memchr(begin + i, c, (size_t)(end - i));
        return found == NULL ? end : found - begin;
    }
    while (i < end && at(kind, data, i) != c) {
        i++;
    }
    return i;
}

/* Walk over all of *text*; compiled once for each width of a character. */
static inline __attribute__((always_inline)) int
walk(PyObject *text, const int kind, const Keys *keys, PyObject *fields)
{
    const void *data = PyUnicode_DATA(text);
    const Py_ssize_t end = PyUnicode_GET_LENGTH(text);
    Py_ssize_t quote = find(kind, data, '"', 0, end); /* the next one */
    Py_ssize_t i = 0;
    while (i < end && at(kind, data, i) == ' ') {
        i++;
    }
    for (;;) {
        Py_ssize_t blank = find(kind, data, ' ', i, end);
        Py_ssize_t equals = find(kind, data, '=', i, blank);
        if (equals == blank || equals == i || quote <= equals) {
            return NOT_PLAIN;
        }
        Py_ssize_t value = equals + 1, value_end = blank, next = blank;
        if (quote < blank) {
            Py_ssize_t close = find(kind, data, '"', quote + 1, end);
            if (quote != value++ || close == end
                || find(kind, data, '\\', value, close) < close) {
                return NOT_PLAIN;
            }
            value_end = close;
            next = close + 1;
            if (next < end && at(kind, data, next) != ' ') {
                return NOT_PLAIN;
            }
            quote = find(kind, data, '"', next, end);
        }
        PyObject *key = keys == NULL
            ? PyUnicode_Substring(text, i, equals)
            : Py_XNewRef(find_key(keys, kind, data, i, equals - i));
        if (key != NULL) {
            int kept = keep(fields, key, text, value, value_end);
            Py_DECREF(key);
            if (kept != DONE) {
                return kept;
            }
        }
        else if (keys == NULL) {
            return FAILED;
        }
        if (next == end) {
            return DONE;
        }
        i = next + 1;
    }
}

static PyObject *
scan(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    if (count != 2 || !PyUnicode_Check(args[0])
        || (args[1] != Py_None && !Py_IS_TYPE(args[1], &KeysType))) {
        PyErr_SetString(PyExc_TypeError, "scan(text, keys): a str, and Keys or None");
        return NULL;
    }
    PyObject *text = args[0];
    if (IS_NOT_READY(text)) {
        return NULL;
    }
    const Keys *keys = args[1] == Py_None ? NULL : (const Keys *)args[1];
    PyObject *fields = PyDict_New();
    if (fields == NULL) {
        return NULL;
    }
    int done;
    switch (PyUnicode_KIND(text)) {
    case PyUnicode_1BYTE_KIND:
        done = walk(text, PyUnicode_1BYTE_KIND, keys, fields);
        break;
    case PyUnicode_2BYTE_KIND:
        done = walk(text, PyUnicode_2BYTE_KIND, keys, fields);
        break;
    default:
        done = walk(text, PyUnicode_4BYTE_KIND, keys, fields);
    }
    if (done == DONE) {
        return fields;
    }
    Py_DECREF(fields);
    if (done == FAILED) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* -- instant: "2026-11-20 09:16:21.5 +0000 UTC" and "2026-11-20T09:16:21.5Z" ------------ */

/* Return the number that the *count* digits at *text* are, or -1. */
static inline int
digits(const Py_UCS1 *text, int count)
{
    int number = 0;
    for (int i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return -1;
        }
        number = number * 10 + (text[i] - '0');
    }
    return number;
}

/* Return the days from 1970-01-01 to a date of the Gregorian calendar, or -1.
 * Source: howardhinnant.github.io/date_algorithms.html, days_from_civil. */
static inline long
days_to(int year, int month, int day)
{
    static const int longest[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > longest[month - 1]
        || (month == 2 && day == 29 && !is_leap)) {
        return -1;
    }
    int since_march = (month + 9) % 12;
    int y = month <= 2 ? year - 1 : year;
    int era = y / 400, of_era = y % 400;
    int of_year = (153 * since_march + 2) / 5 + day - 1;
    return era * 146097L + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* Return UTC epoch ms, or -1. */
static long long
read_instant(const Py_UCS1 *text, Py_ssize_t length)
{
    if (length < 20 || text[4] != '-' || text[7] != '-' || text[13] != ':' || text[16] != ':'
        || (text[10] != ' ' && text[10] != 'T')) {
        return -1;
    }
    int hour = digits(text + 11, 2), minute = digits(text + 14, 2);
    int second = digits(text + 17, 2), ms = 0;
    long days = days_to(digits(text, 4), digits(text + 5, 2), digits(text + 8, 2));
    if (days < 0 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0
        || second > 59) {
        return -1;
    }
    Py_ssize_t i = 19;
    if (text[i] == '.') {
        Py_ssize_t begin = ++i;
        int worth = 100;
        for (; i < length && text[i] >= '0' && text[i] <= '9'; i++, worth /= 10) {
            ms += (text[i] - '0') * worth;
        }
        if (i == begin) {
            return -1;
        }
    }
    static const char zone[] = " +0000 UTC";
    int is_utc = (length - i == 1 && text[i] == 'Z')
        || (length - i == (Py_ssize_t)sizeof zone - 1
            && memcmp(text + i, zone, sizeof zone - 1) == 0);
    return is_utc ? (((days * 24LL + hour) * 60 + minute) * 60 + second) * 1000 + ms : -1;
}

static PyObject *
instant(PyObject *module, PyObject *text)
{
    if (!PyUnicode_Check(text)) {
        PyErr_SetString(PyExc_TypeError, "instant(text): a str");
        return NULL;
    }
    if (IS_NOT_READY(text)) {
        return NULL;
    }
    long long ms = -1;
    if (PyUnicode_IS_ASCII(text)) {
        ms = read_instant(PyUnicode_1BYTE_DATA(text), PyUnicode_GET_LENGTH(text));
    }
    return PyLong_FromLongLong(ms);
}

/* -- the module ------------------------------------------------------------------- */

static PyMethodDef methods[] = {
    {"scan", (PyCFunction)(void (*)(void))scan, METH_FASTCALL,
     "scan(text, keys): the pairs of text as a dict, those of keys or, with None, all;\n"
     "None when they are not plain."},
    {"instant", (PyCFunction)instant, METH_O,
     "instant(text): UTC epoch ms, or -1 when it is not plain."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "app.events._plain",
    .m_doc = "The quick half of app.events.logfmt and app.events.times.",
    .m_size = -1,
    .m_methods = methods,
};

PyMODINIT_FUNC
PyInit__plain(void)
{
    PyObject *module = PyModule_Create(&definition);
    if (module == NULL) {
        return NULL;
    }
    if (PyModule_AddType(module, &KeysType) < 0) {
        Py_DECREF(module);
        return NULL;
    }
    return module;
}
