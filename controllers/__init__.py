from . import cashier
