from . import cashier, notification
