// Mantine's components as links of the router, with the addresses and parameters checked by the compiler.
import { Anchor, type AnchorProps, Button, type ButtonProps, Menu, type MenuItemProps } from '@mantine/core';
import { createLink } from '@tanstack/react-router';
import type { AnchorHTMLAttributes, Ref } from 'react';

type Html = Omit<AnchorHTMLAttributes<HTMLAnchorElement>, 'color' | 'style'> & { ref?: Ref<HTMLAnchorElement> };

export const TextLink = createLink((props: AnchorProps & Html) => <Anchor {...props} />);

export const ButtonLink = createLink((props: ButtonProps & Html) => <Button component="a" {...props} />);

export const MenuLink = createLink((props: MenuItemProps & Html) => <Menu.Item component="a" {...props} />);
