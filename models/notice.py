def notice(kind, sentence):
    """A message in the corner of the screen, as the answer to a button.

    :param str kind: 'success', 'info' or 'danger'; what went wrong stays until it is closed
    :param str sentence: translated
    :return: dict, an action
    """
    return {
        'type': 'ir.actions.client',
        'tag': 'display_notification',
        'params': {'type': kind, 'message': sentence, 'sticky': kind == 'danger'},
    }
